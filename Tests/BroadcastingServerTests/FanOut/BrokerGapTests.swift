//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingServer

@Suite("Sockets at a gap of the broker", .timeLimit(.minutes(1)))
struct BrokerGapTests {
  private func withBroker(
    spread: Duration, loops: Int = 1, _ body: @Sendable (ScriptedDriver, RunningServer) async throws -> Void
  ) async throws {
    let driver = ScriptedDriver()
    var configuration = HubConfiguration()
    configuration.shortestReconnectDelay = .milliseconds(1)
    configuration.longestReconnectDelay = .milliseconds(1)
    try await withBroadcast(Hub(driver: driver, configuration: configuration)) { broadcast in
      try await withServer(loops: loops, over: broadcast, configure: { $0.timeouts.closingSpread = spread }) { server in
        try await body(driver, server)
      }
    }
  }

  @Test("from the gap on a socket gets nothing more, of none of its channels; a stop closes it at once")
  func nothingMore() async throws {
    try await withBroker(spread: .seconds(86_400)) { driver, server in
      let client = try await server.subscriber("/events?channel=a&channel=b")
      try await server.broadcast.publish("before", to: "a")
      #expect(await client.receiveText() == "before")
      driver.lose()
      // Who comes when it is back gets what is published then.
      try await settle { server.broadcast.statistics.reconnects == 1 && server.broadcast.statistics.gaps == 2 }
      let next = try await server.subscriber("/events?channel=a&channel=b")
      try await server.broadcast.publish("after", to: "a")
      try await server.broadcast.publish("after", to: "b")
      #expect(await next.receiveText() == "after")
      #expect(await next.receiveText() == "after")
      server.stop()
      #expect(await client.receiveText() == nil)
      #expect(await client.close?.code == .missedMessages)
      #expect(await next.end()?.code == .goingAway)
    }
  }

  @Test("all sockets are closed with 4000 when the broker is back, whether it lost one message or the connection")
  func all() async throws {
    try await withBroker(spread: .milliseconds(200), loops: 2) { driver, server in
      for isLost in [true, false] {
        var clients: [TestClient] = []
        for _ in 0..<30 { clients.append(try await server.subscriber()) }
        if isLost { driver.lose() } else { driver.script.withLock { $0.inbox }?.missed(1, on: "events") }
        for client in clients { #expect(await client.end()?.code == .missedMessages) }
        try await settle { server.broadcast.statistics.isAvailable }
      }
      // The timer ends with the last of them, and begins anew.
      let next = try await server.subscriber()
      try await server.broadcast.publish("goes on", to: "events")
      #expect(await next.receiveText() == "goes on")
    }
  }

  @Test("a socket outlives a broker that is away for a while and keeps messages")
  func suspension() async throws {
    try await withBroker(spread: .zero) { driver, server in
      let client = try await server.subscriber()
      let inbox = driver.script.withLock { $0.inbox }
      inbox?.suspended(because: BroadcastError(.unavailable, "Nobody is there.", isRetriable: true))
      inbox?.received(Message("meanwhile", to: "events"))
      #expect(await client.receiveText() == "meanwhile")
      inbox?.connected()
      try await server.broadcast.publish("after", to: "events")
      #expect(await client.receiveText() == "after")
    }
  }

  @Test("a client that leaves while it waits to be closed is gone")
  func leaving() async throws {
    try await withBroker(spread: .seconds(86_400)) { driver, server in
      let client = try await server.subscriber()
      driver.script.withLock { $0.inbox }?.missed(1, on: "events")
      try await settle { server.broadcast.statistics.gaps == 1 }
      await client.leave()
      let next = try await server.subscriber()
      await next.leave()
      try await settle { server.broadcast.statistics.subscribers == 0 }
    }
  }

  @Test(
    "while the broker is away a push, a socket and health are 503 with Retry-After, and work when it is back",
    arguments: [false, true])
  func meanwhile(isSuspended: Bool) async throws {
    try await withBroker(spread: .zero) { driver, server in
      let client = try await server.connect()
      let inbox = driver.script.withLock { script in
        script.isAway = true
        return script.inbox
      }
      if isSuspended {
        inbox?.suspended(because: BroadcastError(.unavailable, "Nobody is there.", isRetriable: true))
      } else {
        driver.lose()
      }
      try await settle { !server.broadcast.statistics.isAvailable }
      let push = try await client.post(json: #"{"message":1}"#)
      let socket = try await server.connect().upgrade()
      let health = try await client.request(.get, "/health")
      for answer in [push, socket, health] {
        #expect(answer?.status == .serviceUnavailable)
        #expect(answer?.headers["Retry-After"] == "1")
        #expect(answer?.text.contains(#""code": "unavailable""#) == true)
      }
      driver.script.withLock { $0.isAway = false }
      if isSuspended { inbox?.connected() }
      try await settle { server.broadcast.statistics.isAvailable }
      #expect(try await client.post(json: #"{"message":1}"#)?.status == .ok)
      _ = try await server.subscriber()
    }
  }

  @Test("what the broker refuses for good is 403, without a wish to come back")
  func refused() async throws {
    try await withBroker(spread: .zero) { driver, server in
      driver.script.withLock {
        $0.publishError = BroadcastError(.refused, "The broker takes no such text.", outcome: .notSent)
      }
      let answer = try await server.connect().post(json: #"{"message":1}"#)
      #expect(answer?.status == .forbidden)
      #expect(answer?.headers["Retry-After"] == nil)
      #expect(answer?.text.contains(#""code": "refused""#) == true)
    }
  }

  @Test("health tells the counters")
  func health() async throws {
    try await withBroker(spread: .zero) { driver, server in
      _ = try await server.subscriber()
      try await server.broadcast.publish("x", to: "events")
      driver.script.withLock { $0.inbox }?.probed(after: .milliseconds(2))
      try await settle { server.broadcast.statistics.delivered == 1 }
      let text = try await server.connect().request(.get, "/health")?.text ?? ""
      #expect(
        text
          == #"{"status": "ok", "channels": 1, "published": 1, "delivered": 1, "dropped": 0, "gaps": 0, "#
          + #""reconnects": 0, "filled": 0, "bytes_held": 0, "history_bytes": 0, "probe_ms": 2.0}"#)
    }
    #expect(String(decoding: HealthEndpoint.body(.init()), as: UTF8.self).hasSuffix(#""probe_ms": null}"#))
  }

  @Test("what waits for a tick at random comes back once, and not all at the same one")
  func spreadQueue() {
    var queue = SpreadQueue<Int>(ticks: 20)
    _ = queue.tick()
    for number in 0..<10_000 { queue.add(number) }
    #expect(queue.count == 10_000)
    let ticks = (0..<20).map { _ in queue.tick() }
    #expect(ticks.allSatisfy { !$0.isEmpty && $0.count < 2_000 })
    #expect(ticks.flatMap(\.self).sorted() == Array(0..<10_000))
    #expect(queue.count == 0)
    #expect(queue.tick().isEmpty)
    var one = SpreadQueue<Int>(ticks: 0)
    one.add(1)
    #expect(one.tick() == [1])
  }
}
