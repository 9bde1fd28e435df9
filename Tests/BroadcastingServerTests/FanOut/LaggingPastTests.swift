//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import TestSupport
import Testing

@Suite("Sockets that begin in a past which is elsewhere", .timeLimit(.minutes(2)))
struct LaggingPastTests {
  @Test("a history that lacks the newest is asked again, and nothing comes twice")
  func lags() async throws {
    let calls = Counter()
    try await withBroadcast(Self.keeping()) { memory in
      let broadcast = ChangedHistory(of: memory) { history in
        // It has not heard yet of what the feed already begins behind.
        let isLagging = calls.next() < 2
        return isLagging ? history.without(newest: 3) : history
      }
      try await withServer(over: broadcast) { server in
        try await server.publish(0..<10, to: "kept.a")
        let client = try await server.connect()
        let response = try await client.upgrade("/events?channel=kept.a&after=0-0")
        #expect(response?.headers["Broadcast-Recovery"] == "recovered")
        try await server.publish(10..<11, to: "kept.a")
        #expect(await client.texts(11) == (0..<11).map { "\($0)" })
        #expect(calls.value == 3)
      }
    }
  }

  @Test("one that goes on to lag is told as missed")
  func lagsForGood() async throws {
    try await withBroadcast(Self.keeping()) { memory in
      let broadcast = ChangedHistory(of: memory) { $0.without(newest: 3) }
      try await withServer(over: broadcast) { server in
        try await server.publish(0..<10, to: "kept.a")
        let client = try await server.connect()
        let response = try await client.upgrade("/events?channel=kept.a&after=0-0")
        #expect(response?.headers["Broadcast-Recovery"] == "missed")
        #expect(await client.texts(7) == (0..<7).map { "\($0)" })
      }
    }
  }

  @Test("a position that another server has come to is waited for, and what is behind it comes once")
  func ahead() async throws {
    let asked = Counter()
    try await withBroadcast(Self.keeping()) { memory in
      // The broker is further than this server's feed.
      let broadcast = ChangedHistory(of: memory) { history in
        asked.next()
        var history = history
        history.head?.offset += 5
        return history
      }
      try await withServer(over: broadcast) { server in
        let positions = try await server.publish(0..<10, to: "kept.a")
        let after = MessagePosition(epoch: positions[9].epoch, offset: positions[9].offset + 2)
        let client = try await server.connect()
        async let response = client.upgrade("/events?channel=kept.a&after=\(after)")
        try await settle { asked.value > 0 }
        try await server.publish(10..<13, to: "kept.a")
        #expect(try await response?.headers["Broadcast-Recovery"] == "recovered")
        try await server.publish(13..<14, to: "kept.a")
        #expect(await client.texts(2) == ["12", "13"])

        let never = MessagePosition(epoch: positions[9].epoch, offset: positions[9].offset + 9)
        let refused = try await server.connect().upgrade("/events?channel=kept.a&after=\(never)")
        #expect(refused?.status == .serviceUnavailable && refused?.text.contains("position_ahead") == true)
        #expect(server.broadcast.statistics.subscribers == 1)
      }
    }
  }

  @Test("that the history cannot be asked is an answer, and leaves nothing behind")
  func fails() async throws {
    try await withBroadcast(Self.keeping()) { memory in
      let broadcast = ChangedHistory(of: memory) { _ in nil }
      try await withServer(over: broadcast) { server in
        try await server.publish(0..<10, to: "kept.a")
        try await withThrowingTaskGroup { group in
          for _ in 0..<10 {
            group.addTask {
              let response = try await server.connect().upgrade("/events?channel=kept.a&last=5")
              #expect(response?.status == .serviceUnavailable && response?.text.contains("unavailable") == true)
            }
          }
          try await group.waitForAll()
        }
        try await settle { server.broadcast.statistics.subscribers == 0 && server.loggedBytes == 0 }
      }
    }
  }

  @Test("sockets that ask the same at once are answered by one question")
  func oneQuestion() async throws {
    let asked = Counter()
    let checked = Counter()
    let gate = Gate()
    try await withBroadcast(Self.keeping()) { memory in
      let broadcast = ChangedHistory(of: memory, waiting: gate) { history in
        asked.next()
        return history
      }
      try await withServer(over: broadcast, routes: { $0.check { _ in checked.next() } }) { server in
        try await server.publish(0..<10, to: "kept.a")
        try await withThrowingTaskGroup { group in
          for _ in 0..<20 {
            group.addTask {
              let client = try await server.subscriber("/events?channel=kept.a&last=5")
              #expect(await client.texts(5) == (5..<10).map { "\($0)" })
            }
          }
          group.addTask {
            // All of them are there, and soon wait for the one question. That they do is nowhere to be seen, and a machine
            // may be busy: hence a whole second.
            try await settle { broadcast.waiting.value > 0 && checked.value == 20 }
            try await Task.sleep(for: .seconds(1))
            gate.open()
          }
          try await group.waitForAll()
        }
        #expect(asked.value < 10)
      }
    }
  }

  private static func keeping() -> MemoryBroadcast {
    var configuration = HubConfiguration()
    configuration.history = [.init(ChannelPattern("kept.*"))]
    return MemoryBroadcast(configuration: configuration)
  }
}

/// A broadcast whose histories are what a test makes of them.
private struct ChangedHistory: Broadcast {
  let base: MemoryBroadcast
  let gate: Gate?
  let waiting = Counter()
  /// Nil: they cannot be asked.
  let change: @Sendable (History) -> History?

  init(of base: MemoryBroadcast, waiting gate: Gate? = nil, _ change: @escaping @Sendable (History) -> History?) {
    self.base = base
    self.gate = gate
    self.change = change
  }

  var capabilities: Capabilities { base.capabilities }
  var statistics: BroadcastStatistics { base.statistics }
  func run() async throws(BroadcastError) { try await base.run() }
  func publish(_ message: Message) async throws(BroadcastError) -> Receipt { try await base.publish(message) }
  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] { try await base.publish(messages) }
  func historyPolicy(of channel: Channel) -> HistoryPolicy? { base.historyPolicy(of: channel) }

  func subscribe(to channels: [Channel], options: SubscriptionOptions) async throws(BroadcastError) -> Subscription {
    try await base.subscribe(to: channels, options: options)
  }

  func history(
    of channel: Channel, from start: SubscriptionStart, limit: Int
  ) async throws(BroadcastError) -> History {
    waiting.next()
    await gate?.wait()
    guard let history = change(try await base.history(of: channel, from: start, limit: limit)) else {
      throw BroadcastError(.unavailable, "The broker is away.", isRetriable: true)
    }
    return history
  }
}

extension History {
  /// As it was before the newest messages.
  fileprivate func without(newest count: UInt64) -> History {
    guard let head else { return self }
    let end = head.offset - count
    return History(
      channel: channel, messages: messages.filter { ($0.position?.offset ?? 0) <= end },
      head: MessagePosition(epoch: head.epoch, offset: end), isComplete: isComplete, hasMore: hasMore)
  }
}
