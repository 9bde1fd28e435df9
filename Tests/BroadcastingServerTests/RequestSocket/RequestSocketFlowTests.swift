//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import BroadcastingServer
import BroadcastingWeb
import TestSupport
import Testing

@Suite("Requests in flight on a socket", .timeLimit(.minutes(1)))
struct RequestSocketFlowTests {
  @Test("several are answered at a time, as they are done, and no more than the limit")
  func inFlight() async throws {
    let (gates, started) = ((0..<4).map { _ in Gate() }, Counter())
    try await withServer(routes: { routes in
      routes.requestSocket("/rest", limits: RequestSocketLimits(inFlight: 3))
      routes.get("/wait/:number") { request in
        started.next()
        let number = try request.parameter("number")
        await gates[Int(number) ?? 0].wait()
        return .text(number)
      }
    }) { server in
      let client = try await server.subscriber("/rest")
      for number in 0..<4 { await client.send("{\"method\": \"GET\", \"url\": \"/wait/\(number)\"}") }
      try await settle { started.value == 3 }
      // A round trip on another connection: the fourth would have begun meanwhile.
      _ = try await server.connect().request(.get, "/health")
      #expect(started.value == 3)
      gates[2].open()
      #expect(await client.receiveText() == #"{"status": 200, "data": "2"}"#)
      try await settle { started.value == 4 }
      gates[3].open()
      #expect(await client.receiveText() == #"{"status": 200, "data": "3"}"#)
      gates[1].open()
      gates[0].open()
      #expect(Set(await client.texts(2)) == [#"{"status": 200, "data": "0"}"#, #"{"status": 200, "data": "1"}"#])
    }
  }

  @Test("long requests that are in flight hold up the next, however few they are")
  func longRequests() async throws {
    let (gate, started) = (Gate(), Counter())
    try await withServer(
      configure: { $0.limits.message = 10_000 },
      routes: { routes in
        routes.requestSocket("/rest")
        routes.post("/wait") { request in
          started.next()
          await gate.wait()
          return .text("\(request.http.body.count)")
        }
      }
    ) { server in
      let client = try await server.subscriber("/rest")
      let data = "\"\(String(repeating: "x", count: 5_998))\""
      for _ in 0..<5 { await client.send("{\"method\": \"POST\", \"url\": \"/wait\", \"data\": \(data)}") }
      try await settle { started.value == 2 }
      // A round trip on another connection: a third would have begun meanwhile.
      _ = try await server.connect().request(.get, "/health")
      #expect(started.value == 2)
      gate.open()
      #expect(await client.texts(5) == Array(repeating: #"{"status": 200, "data": "6000"}"#, count: 5))
    }
  }

  @Test("with one in flight they are done in their order, and all that are sent at once are answered")
  func inOrder() async throws {
    let done = Lock<[String]>([])
    try await withServer(routes: { routes in
      routes.requestSocket("/rest", limits: RequestSocketLimits(inFlight: 0))
      routes.get("/later/:number", on: .pool) { request in
        let number = try request.parameter("number")
        if number.hasSuffix("0") { try await Task.sleep(for: .milliseconds(2)) }
        done.withLock { $0.append(number) }
        return .text(number)
      }
    }) { server in
      let client = try await server.subscriber("/rest")
      for number in 0..<200 { await client.send("{\"method\": \"GET\", \"url\": \"/later/\(number)\"}") }
      for number in 0..<200 { #expect(await client.receiveText() == "{\"status\": 200, \"data\": \"\(number)\"}") }
      #expect(done.withLock { $0 } == (0..<200).map(String.init))
    }
  }

  @Test("who reads no answers holds up only itself, its requests wait unread, and nothing is lost")
  func slowClient() async throws {
    let answered = Counter()
    let big = String(repeating: "x", count: 200_000)
    try await withServer(routes: { routes in
      routes.requestSocket("/rest", limits: RequestSocketLimits(inFlight: 4))
      routes.get("/big") { _ in
        answered.next()
        return .text(big)
      }
    }) { server in
      let slow = try await server.subscriber("/rest")
      // Many more than what fits into the buffers of the system.
      for number in 0..<300 {
        await slow.send("{\"method\": \"GET\", \"url\": \"/big\", \"event_name\": \"\(number)\"}")
      }
      // It comes to a standstill: the same number for a while.
      var last = -1
      while last != answered.value {
        last = answered.value
        try await Task.sleep(for: .milliseconds(300))
      }
      #expect(last < 200)
      let other = try await server.subscriber("/rest")
      await other.send(#"{"method": "GET", "url": "/health"}"#)
      #expect(await other.receiveText()?.hasPrefix(#"{"status": 200"#) == true)
      var names: Set<String> = []
      for _ in 0..<300 {
        let text = try #require(await slow.receiveText())
        names.insert(String(text.prefix { $0 != "," }))
      }
      #expect(names.count == 300)
      #expect(answered.value == 300)
    }
  }

  @Test("a thousand requests in one write are all answered")
  func burst() async throws {
    try await withServer(routes: { routes in
      routes.requestSocket("/rest")
      routes.get("/number/:number") { .text(try $0.parameter("number")) }
    }) { server in
      let client = try await server.subscriber("/rest")
      let machine = WebSocketMachine(.client, limits: WebSocketLimits(messageBytes: 1 << 20))
      let frames = (0..<1_000).map { WebSocketMessage.text("{\"method\": \"GET\", \"url\": \"/number/\($0)\"}") }
      await client.write(frames.flatMap { machine.makeFrame($0) ?? [] })
      #expect(Set(await client.texts(1_000)) == Set((0..<1_000).map { "{\"status\": 200, \"data\": \"\($0)\"}" }))
    }
  }

  @Test("an answer over the limit is an error that names it, and the program is told")
  func longAnswer() async throws {
    try await withServer(routes: { routes in
      routes.requestSocket("/rest", limits: RequestSocketLimits(answerBytes: 1_000))
      routes.get("/long") { _ in .text(String(repeating: "x", count: 1_000)) }
    }) { server in
      let client = try await server.subscriber("/rest")
      await client.send(#"{"method": "GET", "url": "/long", "event_name": "l"}"#)
      let answer = try #require(await client.receiveText())
      #expect(answer.hasPrefix(#"{"event_name": "l", "status": 500, "error": "answer_too_long", "detail": ""#))
      #expect(answer.contains("1000 are allowed"))
      // The mistake is the program's.
      #expect(server.events.all.contains { $0.kind == .handlerFailed && $0.path == "/long" })
    }
  }

  @Test("a frame over the server's limit closes the socket with 1009")
  func longFrame() async throws {
    try await withServer(configure: { $0.limits.message = 1_000 }, routes: { $0.requestSocket("/rest") }) { server in
      let client = try await server.subscriber("/rest")
      await client.send(String(repeating: " ", count: 1_001))
      #expect(await client.end()?.code == .messageTooLarge)
    }
  }

  @Test("what was sent before the client closed is still done, with one or several in flight", arguments: [1, 16])
  func doneAtTheEnd(inFlight: Int) async throws {
    let (gate, started, done) = (Gate(), Counter(), Counter())
    try await withServer(routes: { routes in
      routes.requestSocket("/rest", limits: RequestSocketLimits(inFlight: inFlight))
      routes.post("/do") { _ in
        started.next()
        await gate.wait()
        if !Task.isCancelled { done.next() }
        return .empty()
      }
    }) { server in
      let client = try await server.subscriber("/rest")
      for _ in 0..<5 { await client.send(#"{"method": "POST", "url": "/do"}"#) }
      await client.leave()
      try await settle { started.value == min(5, inFlight) }
      gate.open()
      try await settle { done.value == 5 }
    }
  }

  @Test("what takes longer than the close timeout is cancelled, and so is all when the server stops")
  func cancelled() async throws {
    let (started, cancelled) = (Counter(), Counter())
    try await withServer(
      configure: { $0.timeouts.socket.close = .milliseconds(100) },
      routes: { routes in
        routes.requestSocket("/rest", limits: RequestSocketLimits(inFlight: 2))
        routes.get("/for/ever") { _ in
          started.next()
          await Gate().wait()
          cancelled.next()
          try Task.checkCancellation()
          return .empty()
        }
      }
    ) { server in
      for (requests, isReset) in [(1, false), (2, false), (2, true)] {
        let (before, client) = (started.value, try await server.subscriber("/rest"))
        for _ in 0..<requests { await client.send(#"{"method": "GET", "url": "/for/ever"}"#) }
        try await settle { started.value == before + requests }
        if isReset { await client.reset() } else { await client.leave() }
        try await settle { cancelled.value == started.value }
      }
      let client = try await server.subscriber("/rest")
      await client.send(#"{"method": "GET", "url": "/for/ever"}"#)
      try await settle { started.value == 6 }
      server.stop()
      #expect(await client.receiveText()?.hasPrefix(#"{"status": 503, "error": "stopping""#) == true)
      #expect(await client.end()?.code == .goingAway)
      await client.disconnect()
      await server.hasStopped()
      #expect(cancelled.value == 6)
    }
  }
}
