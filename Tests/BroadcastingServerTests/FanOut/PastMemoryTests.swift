//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import TestSupport
import Testing

@testable import BroadcastingServer

@Suite("The memory for pasts on their way to clients", .timeLimit(.minutes(2)))
struct PastMemoryTests {
  @Test("pasts have half of what the loop has, and an answer goes out where there is no other")
  func halves() throws {
    let budget = MemoryBudget(limit: 1_000)
    let memory = PastMemory(within: budget)
    #expect(!memory.add(500) && memory.add(1))
    memory.remove(501)
    var large = memory.lease(5_000)
    #expect(large != nil && budget.heldBytes == 5_000)
    #expect(memory.lease(1) == nil && budget.heldBytes == 5_000)
    large = nil
    #expect(budget.heldBytes == 0)
    let half = try #require(memory.lease(400))
    #expect(memory.lease(101) == nil && budget.heldBytes == 400)
    let rest = try #require(memory.lease(100))
    withExtendedLifetime((half, rest)) {}
    budget.add(700)
    #expect(memory.add(400))
  }

  /// Far more than a kernel takes for a client that does not read.
  private static func withMegabytes(
    memory: Int, _ body: @Sendable (RunningServer) async throws -> Void
  ) async throws {
    var configuration = HubConfiguration()
    configuration.history = [.init("kept.*", HistoryPolicy(maximumBytes: 64 << 20))]
    try await withBroadcast(MemoryBroadcast(configuration: configuration)) { broadcast in
      try await withServer(over: broadcast) { configuration in
        configuration.limits.memory = memory
      } _: { server in
        // JSON makes six bytes of each.
        let message = Message(validUTF8: [UInt8](repeating: 1, count: 1_000_000), to: "kept.a")
        for _ in 0..<24 { try await broadcast.publish(message) }
        try await body(server)
      }
    }
  }

  @Test("answers that are read slowly are bounded together, and the next one has room when they are gone")
  func slowAnswers() async throws {
    try await Self.withMegabytes(memory: 64 << 20) { server in
      let stalled = try await server.connect()
      await stalled.ask("/history?channel=kept.a&after=0-0")
      try await settle { server.loggedBytes > 20 << 20 }
      for _ in 0..<3 {
        let refused = try await server.connect().request(.get, "/history?channel=kept.a&after=0-0")
        #expect(refused?.status == .serviceUnavailable && refused?.headers["Retry-After"] == "1")
        #expect(refused?.text.contains("history_too_large") == true)
      }
      // A small one has room beside it.
      #expect(try await server.connect().request(.get, "/history?channel=kept.a&last=0")?.status == .ok)
      await stalled.disconnect()
      try await settle { server.loggedBytes == 0 }
      let answer = try await server.connect().request(.get, "/history?channel=kept.a&after=0-0")
      #expect(answer?.status == .ok && answer?.body.count ?? 0 > 20 << 20)
      try await settle { server.loggedBytes == 0 }
    }
  }

  @Test("long pasts that are taken slowly leave half of the memory to other sockets")
  func slowPasts() async throws {
    try await Self.withMegabytes(memory: 96 << 20) { server in
      var stalled: [TestClient] = []
      for count in 22...23 { stalled.append(try await server.subscriber("/events?channel=kept.a&last=\(count)")) }
      let refused = try await server.connect().upgrade("/events?channel=kept.a&last=24")
      #expect(refused?.status == .serviceUnavailable && refused?.text.contains("past_too_large") == true)
      #expect(server.loggedBytes < 48 << 20)
      // Sockets that begin live are served.
      let live = try await server.subscriber("/events?channel=live")
      try await server.broadcast.publish("hello", to: "live")
      #expect(await live.receiveText() == "hello")
      for client in stalled { await client.disconnect() }
      try await settle { server.loggedBytes == 0 }
    }
  }

  @Test("histories are read a few at a time, and all of those who wait get their turn")
  func turns() async throws {
    let gate = Gate()
    let counter = Counter()
    try await withKeepingServer { server in
      try await server.publish(0..<3, to: "kept.a")
      let broadcast = SlowHistory(of: server.broadcast, gate, counter)
      try await withServer(over: broadcast) { server in
        try await withThrowingTaskGroup { group in
          for _ in 0..<50 {
            group.addTask { try await server.connect().request(.get, "/history?channel=kept.a")?.status }
          }
          try await settle { counter.value >= 16 }
          #expect(counter.value == 16)
          gate.open()
          for try await status in group { #expect(status == .ok) }
          #expect(counter.value == 50)
        }
      }
    }
  }
}

/// A broadcast whose histories come when a gate opens.
private struct SlowHistory: Broadcast {
  private let base: any Broadcast
  private let gate: Gate
  private let asked: Counter

  init(of base: any Broadcast, _ gate: Gate, _ asked: Counter) {
    self.base = base
    self.gate = gate
    self.asked = asked
  }

  var capabilities: Capabilities { base.capabilities }
  var statistics: BroadcastStatistics { base.statistics }
  func run() async throws(BroadcastError) {}
  func publish(_ message: Message) async throws(BroadcastError) -> Receipt { try await base.publish(message) }
  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] { try await base.publish(messages) }

  func subscribe(
    to channels: [Channel], options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription { try await base.subscribe(to: channels, options: options) }

  func history(
    of channel: Channel, from start: SubscriptionStart, limit: Int
  ) async throws(BroadcastError) -> History {
    asked.next()
    await gate.wait()
    return try await base.history(of: channel, from: start, limit: limit)
  }
}
