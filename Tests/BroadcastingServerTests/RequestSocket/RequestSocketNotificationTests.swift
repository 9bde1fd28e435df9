//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import BroadcastingServer
import TestSupport
import Testing

@Suite("Notifications on a request socket", .timeLimit(.minutes(1)))
struct RequestSocketNotificationTests {
  @Test("messages of its channels come between the answers, as JSON, a string or base64, with the channel's name")
  func notifications() async throws {
    try await withServer(routes: { routes in
      routes.requestSocket("/rest") { request in
        try request.query().values(of: "on").map { Channel($0) }
      }
      routes.get("/x") { _ in .text("x") }
    }) { server in
      let client = try await server.subscriber("/rest?on=users&on=%22q%22")
      let plain = try await server.subscriber("/events?channel=users")
      try await server.broadcast.publish(#" {"id": 1.0} "#, to: "users")
      #expect(await client.receiveText() == #"{"event_name": "users", "data":  {"id": 1.0} }"#)
      // Sockets of the other form get it as it was.
      #expect(await plain.receiveText() == #" {"id": 1.0} "#)
      await client.send(#"{"method": "GET", "url": "/x"}"#)
      #expect(await client.receiveText() == #"{"status": 200, "data": "x"}"#)
      let control = String(repeating: "\u{1}", count: 100)
      for text in ["{not JSON", "", "\u{feff}1", control, "12"] {
        try await server.broadcast.publish(text, to: "\"q\"")
      }
      try await server.broadcast.publish(Message([0xff, 0], to: "\"q\""))
      let escaped = String(repeating: "\\u0001", count: 100)
      for data in ["\"{not JSON\"", "\"\"", "\"\u{feff}1\"", "\"\(escaped)\"", "12", #"{"base64": "/wA="}"#] {
        #expect(await client.receiveText() == "{\"event_name\": \"\\\"q\\\"\", \"data\": \(data)}")
      }
      #expect(server.broadcast.statistics.subscribers == 3)
      await client.leave()
      await plain.leave()
      try await settle { server.broadcast.statistics.subscribers == 0 }
    }
  }

  @Test("what the choice of channels throws is the answer to the handshake")
  func refused() async throws {
    try await withServer(routes: { routes in
      routes.requestSocket("/rest") { _ in throw RequestError(.unauthorized, "who", "Say who you are.") }
    }) { server in
      let response = try await server.connect().upgrade("/rest")
      #expect(response?.status == .unauthorized)
    }
  }

  @Test("at a gap it is closed with 4000, what is under way is done, and the next one hears on")
  func gap() async throws {
    let driver = ScriptedDriver()
    let (gate, started, done) = (Gate(), Gate(), Gate())
    var configuration = HubConfiguration()
    configuration.shortestReconnectDelay = .milliseconds(1)
    configuration.longestReconnectDelay = .milliseconds(1)
    try await withBroadcast(Hub(driver: driver, configuration: configuration)) { broadcast in
      try await withServer(
        over: broadcast, configure: { $0.timeouts.closingSpread = .zero },
        routes: { routes in
          routes.requestSocket("/rest") { _ in ["a"] }
          routes.post("/do") { _ in
            started.open()
            await gate.wait()
            if !Task.isCancelled { done.open() }
            return .empty()
          }
        }
      ) { server in
        let client = try await server.subscriber("/rest")
        await client.send(#"{"method": "POST", "url": "/do"}"#)
        await started.wait()
        driver.lose()
        #expect(await client.end()?.code == .missedMessages)
        gate.open()
        await done.wait()
        #expect(done.isOpen)
        try await settle { server.broadcast.statistics.isAvailable }
        let next = try await server.subscriber("/rest")
        try await server.broadcast.publish("1", to: "a")
        #expect(await next.receiveText() == #"{"event_name": "a", "data": 1}"#)
      }
    }
  }

  @Test("who does not read is closed with 4000 once it is further behind than the limits")
  func slowReader() async throws {
    try await withServer(
      configure: { $0.limits.backlogBytes = 1 << 16 },
      routes: { $0.requestSocket("/rest") { _ in ["a"] } }
    ) { server in
      let slow = try await server.subscriber("/rest")
      let message = String(repeating: "\u{1}", count: 10_000)
      // More than the buffers of the system hold. What keeps up gets all of it, though each is longer as text.
      let quick = try await server.subscriber("/rest")
      for _ in 0..<400 {
        try await server.broadcast.publish(message, to: "a")
        #expect(await quick.receiveText()?.utf8.count == 60_000 + 31)
      }
      #expect(await slow.end()?.code == .missedMessages)
    }
  }
}
