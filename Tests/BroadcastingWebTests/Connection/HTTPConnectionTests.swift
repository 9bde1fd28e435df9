//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import Testing

@testable import BroadcastingWeb

/// What is no request, and what it gets.
private let refusals: [String: (request: String, status: HTTPStatus)] = [
  "no HTTP": ("nonsense\r\n\r\n", .badRequest),
  "no host": ("GET / HTTP/1.1\r\n\r\n", .badRequest),
  "another version": ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", .badRequest),
  "a long target": ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: x\r\n\r\n", .uriTooLong),
  "a long field": (
    "GET / HTTP/1.1\r\nHost: x\r\nA: \(String(repeating: "a", count: 40_000))\r\n\r\n", .requestHeaderFieldsTooLarge
  ),
  "a long body": ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", .contentTooLarge),
  "two lengths": (
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .badRequest
  ),
  "an expectation": ("GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n", .expectationFailed),
  "TLS": ("\u{16}\u{3}\u{1}\u{2}", .badRequest),
]

@Suite("HTTP over a socket", .timeLimit(.minutes(1)))
struct HTTPConnectionTests {
  @Test("requests of one connection are answered in turn")
  func keepAlive() async throws {
    try await withServer { server in
      let client = try await server.connect()
      for number in 0..<5 {
        await client.get("/\(number)")
        #expect(await client.text() == "GET /\(number) ")
      }
      await client.finish()
      #expect(await client.endsInOrder())
    }
  }

  /// Requests of each kind, the last of which ends the connection.
  private static let pipeline = Array(
    """
    GET /1 HTTP/1.1\r\nHost: x\r\n\r\n\
    POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello\
    \r\nPOST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n\
    GET /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n
    """.utf8)

  private static let answers = ["GET /1 ", "POST /2 hello", "POST /3 abc", "GET /4 "]

  @Test("pipelined requests are answered in order, wherever they are cut")
  func pipelinedInHalves() async throws {
    try await withServer { server in
      for cut in 0...Self.pipeline.count {
        let client = try await server.connect()
        await client.send(Array(Self.pipeline[..<cut]))
        // The first answer, where there can be one, shows that the first half has arrived by itself.
        var expected = Self.answers[...]
        if cut >= "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n".utf8.count {
          #expect(await client.text() == expected.removeFirst())
        }
        await client.send(Array(Self.pipeline[cut...]))
        for answer in expected { #expect(await client.text() == answer, "cut at \(cut)") }
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("thousands of requests in one go are all answered, in order")
  func manyAtOnce() async throws {
    try await withServer { server in
      let client = try await server.connect()
      await client.push((0..<5000).flatMap { Array("GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n".utf8) })
      for number in 0..<5000 {
        guard await client.text() == "GET /\(number) " else {
          Issue.record("no answer \(number)")
          return
        }
      }
    }
  }

  @Test("a handler that takes its time pauses reading, and all is answered in the end")
  func paused() async throws {
    let go = Signal()
    let handler = TestHandler(respond: { request in
      if request.target == "/slow" { await go.wait() }
      return .text(String(request.target.prefix(5)))
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.get("/slow")
      let filler = Array("GET /\(String(repeating: "x", count: 8000)) HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
      // More than the kernel can hold for both ends: the rest has to stay with the client.
      let count = 24 << 20
      await client.push(Array(repeatElement(filler, count: count / filler.count).joined()))
      // A second connection on the same loop is served meanwhile, so the first had its turns.
      try await server.goRound()
      #expect(await client.unsent > 1 << 20)
      go.give()
      #expect(await client.text() == "/slow")
      for _ in 0..<(count / filler.count) { #expect(await client.text() == "/xxxx") }
    }
  }

  @Test("HEAD has the length and no body")
  func head() async throws {
    try await withServer { server in
      let client = try await server.connect()
      await client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      let text = String(decoding: await client.rest(), as: UTF8.self)
      #expect(text.contains("Content-Length: 8\r\n\r\nHTTP/1.1 200 OK\r\n"))
      #expect(text.hasSuffix("\r\n\r\nGET /b "))
    }
  }

  @Test("HTTP/1.0 ends behind a response, unless it asks to stay")
  func oldVersion() async throws {
    try await withServer { server in
      let client = try await server.connect()
      await client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      let first = await client.response()
      #expect(first?.headers["Connection"] == "keep-alive")
      await client.send("GET /b HTTP/1.0\r\n\r\n")
      #expect(await client.response()?.headers["Connection"] == "close")
      #expect(await client.endsInOrder())
    }
  }

  @Test("a response may end the connection by itself, and one that can't be written is a 500")
  func closingResponses() async throws {
    let handler = TestHandler(respond: { request in
      request.target == "/close"
        ? .text("bye", headers: ["Connection": "close"]) : .text("", headers: ["Bad": "a\r\nb"])
    })
    try await withServer(handler) { server in
      for (target, status) in [("/close", HTTPStatus.ok), ("/bad", .internalServerError)] {
        let client = try await server.connect()
        await client.get(target)
        #expect(await client.response()?.status == status)
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("responses have the date, refusals too, and a handler's own goes before")
  func date() async throws {
    let handler = TestHandler(respond: { request in
      .text("", headers: request.target == "/own" ? ["date": "yesterday"] : [:])
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.get("/")
      let date = try #require(await client.response()?.headers["Date"])
      #expect(date.utf8.count == 29 && date.hasSuffix(" GMT"))
      await client.get("/own")
      #expect(await client.response()?.headers.values(of: "Date") == ["yesterday"])
      await client.send("nonsense\r\n\r\n")
      #expect(await client.response()?.headers["Date"]?.utf8.count == 29)
    }
  }

  // MARK: Expect

  @Test("100 Continue comes before the body, and not where the client didn't wait")
  func expectContinue() async throws {
    try await withServer { server in
      let client = try await server.connect()
      let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
      await client.send(head)
      #expect(await client.response()?.status == .continue)
      await client.send("ab")
      #expect(await client.text() == "POST / ab")
      await client.send(head + "cd")
      #expect(await client.text() == "POST / cd")
    }
  }

  @Test("a body that would be too large gets a 413, and no 100 before it")
  func expectTooLarge() async throws {
    try await withServer(limits: HTTPLimits(bodyBytes: 10)) { server in
      let client = try await server.connect()
      await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
      #expect(await client.response()?.status == .contentTooLarge)
      #expect(await client.endsInOrder())
    }
  }

  // MARK: Bad input

  @Test(
    "what is no request gets its status, and the connection ends, also behind good requests",
    arguments: refusals.keys.sorted())
  func refused(_ name: String) async throws {
    let (request, status) = try #require(refusals[name])
    try await withServer { server in
      for before in 0...1 {
        let client = try await server.connect()
        await client.send(String(repeating: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", count: before) + request)
        for _ in 0..<before { #expect(await client.response()?.status == .ok) }
        let response = await client.response()
        #expect(response?.status == status)
        #expect(response?.headers["Connection"] == "close")
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("who still sends a body that is refused can read why")
  func lingering() async throws {
    try await withServer(limits: HTTPLimits(bodyBytes: 10)) { server in
      let client = try await server.connect()
      let size = 8 << 20
      await client.send(
        Array("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n".utf8)
          + [UInt8](repeating: 65, count: size))
      // All of it went out, and nothing was lost to a reset.
      #expect(await client.unsent == 0)
      #expect(await client.response()?.status == .contentTooLarge)
      await client.finish()
      #expect(await client.endsInOrder())
    }
  }

  @Test("a client that neither reads nor closes behind the last response is closed all the same")
  func lingeringEnds() async throws {
    try await withServer { server in
      let client = try await server.connect()
      await client.get("/", "Connection: close\r\n")
      #expect(await client.response()?.status == .ok)
      server.stop()
      await server.ended()
    }
  }

  // MARK: Deadlines

  @Test("a request that doesn't get complete is answered by 408, and a connection without one is just closed")
  func late() async throws {
    try await withServer(timeouts: HTTPTimeouts(request: .milliseconds(100), idle: .milliseconds(100))) { server in
      let silent = try await server.connect()
      let blank = try await server.connect()
      let used = try await server.connect()
      let head = try await server.connect()
      let body = try await server.connect()
      await blank.send("\r\n")
      await used.get("/")
      #expect(await used.response()?.status == .ok)
      await head.send("GET / HTTP/1.1\r\nHost:")
      await body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab")
      for client in [silent, blank, used] {
        #expect(await client.rest() == [])
        #expect(await client.endsInOrder())
      }
      for client in [head, body] {
        #expect(await client.response()?.status == .requestTimeout)
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("a peer that takes nothing of its response is cut")
  func stalledReader() async throws {
    let handler = TestHandler(respond: { request in
      request.target == "/small" ? .text("small") : HTTPResponse(body: [UInt8](repeating: 65, count: 32 << 20))
    })
    try await withServer(handler, timeouts: HTTPTimeouts(write: .milliseconds(100)), connections: 1) { server in
      let client = try await server.connect(receiveBuffer: 4096)
      await client.get("/")
      #expect(await client.skip(1) > 0)
      // There is room for one, and it has to go before this one is served.
      let next = try await server.connect()
      await next.get("/small")
      #expect(await next.text() == "small")
      #expect(await client.rest().count < 32 << 20)
    }
  }

  @Test("a reader that is slow but steady gets all of its response")
  func slowReader() async throws {
    let size = 16 << 20
    let handler = TestHandler(respond: { _ in HTTPResponse(body: [UInt8](repeating: 65, count: size)) })
    try await withServer(handler, timeouts: HTTPTimeouts(write: .milliseconds(100))) { server in
      let client = try await server.connect(receiveBuffer: 64 << 10)
      await client.get("/", "Connection: close\r\n")
      var total = 0
      // Longer than the deadline and its sweeps, and something each time.
      for _ in 0..<30 {
        total += await client.skip(128 << 10)
        try await server.clientLoop.sleep(for: .milliseconds(100))
      }
      total += await client.rest().count
      #expect(total > size)
    }
  }

  // MARK: Ends

  @Test("a peer that finishes gets the answers to all it has sent")
  func halfClosed() async throws {
    let go = Signal()
    let handler = TestHandler(respond: { request in
      if request.target == "/1" { await go.wait() }
      return .text(request.target)
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\n")
      await client.finish()
      go.give()
      #expect(await client.text() == "/1")
      #expect(await client.text() == "/2")
      #expect(await client.rest() == [])
      #expect(await client.endsInOrder())
      // Right at the start, and in the middle of a request.
      for begin in ["", "GET / HT"] {
        let other = try await server.connect()
        await other.send(begin)
        await other.finish()
        #expect(await other.rest() == [])
        #expect(await other.endsInOrder())
      }
    }
  }

  @Test("a reset while the handler works, and while the response is being sent, ends just that connection")
  func reset() async throws {
    let began = Signal()
    let go = Signal()
    let handler = TestHandler(respond: { request in
      switch request.target {
      case "/wait":
        began.give()
        await go.wait()
        return .text("late")
      case "/large": return HTTPResponse(body: [UInt8](repeating: 65, count: 16 << 20))
      default: return .text("ok")
      }
    })
    try await withServer(handler) { server in
      let first = try await server.connect()
      await first.get("/wait")
      await began.wait()
      await first.reset()
      let second = try await server.connect()
      await second.get("/large")
      #expect(await second.skip(1 << 20) >= 1 << 20)
      await second.reset()
      go.give()
      for _ in 0..<20 {
        let other = try await server.connect()
        await other.get("/")
        #expect(await other.text() == "ok")
        await other.reset()
      }
    }
  }

  @Test("a reset while the response of the only connection is being sent")
  func resetOfTheLast() async throws {
    let handler = TestHandler(respond: { _ in HTTPResponse(body: [UInt8](repeating: 65, count: 16 << 20)) })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.get("/")
      #expect(await client.skip(1) > 0)
      await client.reset()
      server.stop()
      await server.ended()
    }
  }

  @Test("a stop closes who waits, answers what is under way, and takes no more")
  func stop() async throws {
    let began = Signal()
    let go = Signal()
    let handler = TestHandler(respond: { request in
      if request.target == "/wait" {
        began.give()
        await go.wait()
      }
      return .text("answer")
    })
    try await withServer(handler) { server in
      let idle = try await server.connect()
      await idle.get("/")
      #expect(await idle.text() == "answer")
      let busy = try await server.connect()
      await busy.get("/wait")
      await began.wait()
      let part = try await server.connect()
      await part.send("GET /")
      server.stop()
      #expect(await idle.endsInOrder())
      #expect(await part.rest() == [])
      go.give()
      let last = await busy.response()
      #expect(last?.body == Array("answer".utf8))
      #expect(last?.headers["Connection"] == "close")
      #expect(await busy.endsInOrder())
      await server.ended()
      await #expect(throws: NetworkError.self) { try await server.connect() }
    }
  }
}
