//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingServer
import TestSupport
import Testing

@Suite("A server over a broker", .timeLimit(.minutes(1)))
struct BrokerTests {
  private func withBroker(
    loops: Int = 1, _ body: @Sendable (ScriptedDriver, RunningServer) async throws -> Void
  ) async throws {
    let driver = ScriptedDriver()
    try await withBroadcast(Hub(driver: driver)) { broadcast in
      try await withServer(
        loops: loops, over: broadcast, configure: { $0.timeouts.closingSpread = .milliseconds(50) }
      ) { server in try await body(driver, server) }
    }
  }

  @Test("a gap closes the sockets that have read up to it with 4000, and who comes then gets all")
  func gap() async throws {
    try await withBroker { driver, server in
      let client = try await server.subscriber()
      try await server.broadcast.publish("1", to: "events")
      driver.script.withLock { $0.inbox }?.missed(3, on: "events")
      try await server.broadcast.publish("2", to: "events")
      #expect(await client.receiveText() == "1")
      #expect(await client.receiveText() == nil)
      #expect(await client.close?.code == .missedMessages)
      let next = try await server.subscriber()
      try await server.broadcast.publish("3", to: "events")
      #expect(await next.receiveText() == "3")
    }
  }

  @Test("a gap on one channel closes a socket of several")
  func gapOnOneOfSeveral() async throws {
    try await withBroker { driver, server in
      let client = try await server.subscriber("/events?channel=a&channel=b")
      let other = try await server.subscriber("/events?channel=b")
      driver.script.withLock { $0.inbox }?.missed(nil, on: "a")
      #expect(await client.end()?.code == .missedMessages)
      try await server.broadcast.publish("goes on", to: "b")
      #expect(await other.receiveText() == "goes on")
    }
  }

  @Test("a lost broker closes sockets with 4000 and makes health and pushes 503, until it is back")
  func lostBroker() async throws {
    try await withBroker { driver, server in
      let client = try await server.subscriber()
      let pusher = try await server.connect()
      driver.lose()
      try await settle { !server.broadcast.statistics.isAvailable }
      #expect(await client.end()?.code == .missedMessages)
      try await settle { server.broadcast.statistics.isAvailable }
      #expect(try await pusher.request(.get, "/health")?.status == .ok)
      let next = try await server.subscriber()
      #expect(try await pusher.post(json: #"{"message":1}"#)?.status == .ok)
      #expect(await next.receiveText() == "1")
    }
  }

  @Test("what the broker refuses is 503 with Retry-After over HTTP, and 1013 for a socket's frame")
  func refusedPublish() async throws {
    try await withBroker { driver, server in
      let client = try await server.subscriber()
      let pusher = try await server.connect()
      driver.script.withLock {
        $0.publishError = BroadcastError(.unavailable, "The broker is full.", isRetriable: true, outcome: .notSent)
      }
      let answer = try await pusher.post(json: #"{"message":1}"#)
      #expect(answer?.status == .serviceUnavailable)
      #expect(answer?.headers["Retry-After"] == "1")
      #expect(answer?.text.contains(#""code": "unavailable""#) == true)
      await client.send("x")
      #expect(await client.end()?.code == .tryAgainLater)
      driver.script.withLock { $0.publishError?.outcome = .unconfirmed }
      let unconfirmed = try await pusher.post(json: #"{"message":1}"#)
      #expect(unconfirmed?.text.contains(#""code": "unconfirmed""#) == true)
    }
  }

  @Test("where the broker is and what its administrator may do is told to the program, and to no client")
  func brokersTexts() async throws {
    try await withBroker { driver, server in
      let secret = "Redis at 10.0.0.7:6379 says no. Grant +publish."
      let texts: [(BroadcastError, String, WebSocketCloseCode)] = [
        (.init(.timedOut, secret, isRetriable: true, outcome: .unconfirmed), "in time. It may have", .tryAgainLater),
        (.init(.unavailable, secret, isRetriable: true, outcome: .unconfirmed), "may have arrived", .tryAgainLater),
        (.init(.unavailable, secret, isRetriable: true, outcome: .notSent), "was not sent", .tryAgainLater),
        (.init(.refused, secret, outcome: .notSent), "refuses this message", .internalError),
      ]
      for (error, text, code) in texts {
        driver.script.withLock { $0.publishError = error }
        let pushed = try await server.connect().post(json: #"{"message":1}"#)?.text ?? ""
        #expect(pushed.contains(text) && !pushed.contains("10.0.0.7") && !pushed.contains("Grant"))
        let client = try await server.subscriber()
        await client.send("x")
        let closed = await client.end()
        #expect(closed?.code == code)
        #expect(closed?.reason.contains(text) == true)
      }
      let told = server.events.all.filter { $0.kind == .brokerFailed }
      #expect(told.count == 2 * texts.count)
      #expect(told.allSatisfy { "\($0)".contains(secret) })
      #expect(told.map(\.path).prefix(2) == ["/push", nil])
    }
  }

  @Test("the 101 waits for the broker, and a broker that refuses is a 503")
  func slowSubscribe() async throws {
    try await withBroker { driver, server in
      let gate = Gate()
      driver.script.withLock { $0.subscribing["slow"] = gate }
      let client = try await server.connect()
      try await withThrowingTaskGroup { group in
        group.addTask {
          let answer = try await client.upgrade("/events?channel=slow")
          #expect(answer?.status == .switchingProtocols)
        }
        // Another request is answered meanwhile.
        #expect(try await server.connect().request(.get, "/health")?.status == .ok)
        #expect(driver.script.withLock { $0.subscribed }.isEmpty)
        gate.open()
        try await group.waitForAll()
      }
      try await server.broadcast.publish("1", to: "slow")
      #expect(await client.receiveText() == "1")
      driver.script.withLock { $0.refusedChannels = ["no"] }
      let refused = try await server.connect().upgrade("/events?channel=no&channel=yes")
      #expect(refused?.status == .serviceUnavailable)
      #expect(refused?.headers["Retry-After"] == "1")
    }
  }

  @Test("a socket keeps a channel that others leave while it still waits for its next one")
  func keepsWhatItJoined() async throws {
    try await withBroker { driver, server in
      let gate = Gate()
      driver.script.withLock { $0.subscribing["slow"] = gate }
      let client = try await server.connect()
      try await withThrowingTaskGroup { group in
        group.addTask {
          let answer = try await client.upgrade("/events?channel=fast&channel=slow")
          #expect(answer?.status == .switchingProtocols)
        }
        try await settle { driver.script.withLock { $0.subscribed.contains("fast") } }
        let other = try await server.subscriber("/events?channel=fast")
        await other.leave()
        // The server has seen it leave when it has another one's answer behind it.
        let third = try await server.subscriber("/events?channel=other")
        await third.leave()
        gate.open()
        try await group.waitForAll()
      }
      try await server.broadcast.publish("1", to: "fast")
      #expect(await client.receiveText() == "1")
    }
  }

  @Test("a socket that is refused for one of its channels leaves the others")
  func refusedForOne() async throws {
    try await withBroker { driver, server in
      driver.script.withLock { $0.refusedChannels = ["no"] }
      let client = try await server.connect()
      #expect(try await client.upgrade("/events?channel=yes&channel=no")?.status == .serviceUnavailable)
      try await settle { driver.script.withLock { $0.subscribed.isEmpty } }
      #expect(server.broadcast.statistics.subscribers == 0)
    }
  }
}
