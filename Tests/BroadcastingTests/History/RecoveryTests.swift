//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

@Suite("Where a subscription begins, on memory")
struct RecoveryTests {
  let channel: Channel = "kept.a"

  /// What a start gives where the last 50 of 120 messages are kept.
  @Test(
    "the last messages, at most so many",
    arguments: [(0, 0), (5, 5), (50, 50), (1_000, 50), (-3, 0)])
  func last(asked: Int, given: Int) async throws {
    try await withBroadcast(Hub.keeping(.init(maximumMessages: 50))) { hub in
      let base = try await hub.publish(1...120, to: channel)
      let subscription = try await hub.subscribe(to: channel, from: .last(asked))
      try await hub.publish("live", to: channel)
      #expect(subscription.recovered)
      #expect(subscription.recovery(of: channel) == Recovery(messages: given, head: base + 120))
      #expect(try subscription.texts() == (0..<given).map { "\(121 - given + $0)" } + ["live"])
    }
  }

  @Test(
    "what is behind a position, and the exact count of what is gone",
    arguments: [(0, 70), (50, 20), (69, 1), (70, 0), (71, 0), (100, 0), (119, 0), (120, 0)])
  func after(offset: Int, missed: Int) async throws {
    try await withBroadcast(Hub.keeping(.init(maximumMessages: 50))) { hub in
      let base = try await hub.publish(1...120, to: channel)
      let subscription = try await hub.subscribe(to: channel, from: .after(base + offset))
      try await hub.publish("live", to: channel)
      let first = offset + missed + 1
      let recovery = Recovery(isComplete: missed == 0, messages: 121 - first, head: base + 120)
      #expect(subscription.recovery(of: channel) == recovery)
      #expect(subscription.recovered == (missed == 0))
      let gap = missed == 0 ? [] : ["gap:\(missed):historyTrimmed"]
      let past = (first..<121).map { "\($0)" }
      #expect(try subscription.texts() == gap + past + ["live"])
    }
  }

  @Test("the beginning asks for all that there ever was")
  func beginning() async throws {
    try await withBroadcast(Hub.keeping(.init(maximumMessages: 50))) { hub in
      try await hub.publish(1...50, to: channel)
      let all = try await hub.subscribe(to: channel, from: .after(.beginning))
      #expect(all.recovered)
      #expect(try all.texts() == (1...50).map { "\($0)" })
      try await hub.publish("51", to: channel)
      let rest = try await hub.subscribe(to: channel, from: .after(.beginning))
      #expect(!rest.recovered)
      #expect(try rest.texts() == ["gap:1:historyTrimmed"] + (2...51).map { "\($0)" })
    }
  }

  @Test("a position of another log, or one that was never reached, gives a gap without a count and all there is")
  func elsewhere() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      let base = try await hub.publish(1...2, to: channel)
      for position in [MessagePosition(epoch: base.epoch + 1, offset: 1), base + 3, base + Int.max] {
        let subscription = try await hub.subscribe(to: channel, from: .after(position))
        #expect(subscription.recovery(of: channel) == Recovery(isComplete: false, messages: 2, head: base + 2))
        #expect(try subscription.texts() == ["gap:?:historyRestarted", "1", "2"])
      }
    }
  }

  @Test("a channel without a message is at the beginning, and whoever comes back to that misses nothing")
  func empty() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      let subscription = try await hub.subscribe(to: channel, from: .last(10))
      #expect(subscription.recovery(of: channel) == Recovery(head: .beginning))
      subscription.cancel()
      let again = try await hub.subscribe(to: channel, from: .after(.beginning))
      #expect(again.recovered)
      try await hub.publish("1", to: channel)
      let third = try await hub.subscribe(to: channel, from: .after(.beginning))
      #expect(try again.texts() == ["1"])
      #expect(try third.texts() == ["1"])
    }
  }

  @Test("each of several channels begins where it was told to")
  func several() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      let base = try await hub.publish(1...5, to: "kept.a")
      try await hub.publish(11...15, to: "kept.b")
      try await hub.publish(21...25, to: "kept.c")
      let options = SubscriptionOptions(
        start: .last(1),
        starts: ["kept.a": .after(base + 3), "kept.b": .live, "other": .live])
      let subscription = try await hub.subscribe(to: ["kept.a", "kept.b", "kept.c", "other"], options: options)
      #expect(subscription.recovery(of: "kept.a")?.messages == 2)
      #expect(subscription.recovery(of: "kept.b")?.messages == 0)
      #expect(subscription.recovery(of: "kept.b")?.head?.offset == 5)
      #expect(subscription.recovery(of: "kept.c")?.messages == 1)
      #expect(subscription.recovery(of: "other") == Recovery())
      #expect(subscription.recovery(of: "kept.x") == nil)
      #expect(subscription.recovered && subscription.unreadMessages == 3)
      #expect(try subscription.texts() == ["4", "5", "25"])
    }
  }

  @Test("a start for a channel that is not subscribed to is refused, and none is ignored")
  func strayStart() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      for start in [SubscriptionStart.last(1), .live] {
        let options = SubscriptionOptions(starts: ["kept.x": start])
        #expect(await code { try await hub.subscribe(to: ["kept.a"], options: options) } == .invalidPosition)
        #expect(await code { try await hub.subscribe(to: .init("kept.*"), options: options) } == .unsupportedHistory)
      }
      #expect(hub.statistics.subscribers == 0)
    }
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let options = SubscriptionOptions(starts: ["b": .live])
      #expect(await code { try await broadcast.subscribe(to: ["a"], options: options) } == .invalidPosition)
    }
  }

  @Test("one channel that is not complete is enough")
  func oneIsMissing() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      let stranger = MessagePosition(epoch: 1, offset: 1)
      let options = SubscriptionOptions(starts: ["kept.b": .after(stranger)])
      let subscription = try await hub.subscribe(to: ["kept.a", "kept.b"], options: options)
      #expect(!subscription.recovered && subscription.recovery(of: "kept.a")?.isComplete == true)
    }
  }

  @Test("where there is no history, asking for it is an error")
  func refused() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      for channel: Channel in ["other", "kept.none"] {
        await #expect(throws: BroadcastError.self) { try await hub.subscribe(to: channel, from: .last(0)) }
        #expect(await code { try await hub.subscribe(to: channel, from: .last(0)) } == .unsupportedHistory)
        #expect(await code { try await hub.history(of: channel) } == .unsupportedHistory)
        #expect(hub.historyPolicy(of: channel) == nil)
      }
      #expect(
        await code { try await hub.subscribe(to: .init("kept.*"), options: .init(start: .last(1))) }
          == .unsupportedHistory)
      let options = SubscriptionOptions(start: .after(.beginning))
      #expect(await code { try await hub.subscribe(to: ["kept.a", "kept.b"], options: options) } == .invalidPosition)
      #expect(hub.statistics.subscribers == 0)
      let live = try await hub.subscribe(to: "other", from: .live)
      #expect(live.recovered && live.recovery(of: "other") == Recovery())
    }
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      #expect(await code { try await broadcast.subscribe(to: "a", from: .last(1)) } == .unsupportedHistory)
      #expect(await code { try await broadcast.history(of: "a") } == .unsupportedHistory)
      #expect(!broadcast.capabilities.hasHistory && !broadcast.capabilities.hasPositions)
    }
  }

  @Test("rules that break a rule end run() at once")
  func invalidRules() async throws {
    var configuration = HubConfiguration()
    configuration.history = [.init("", .init())]
    #expect(await code { try await MemoryBroadcast(configuration: configuration).run() } == .invalidPattern)
  }

  private func code(_ body: () async throws -> some Any) async -> BroadcastError.Code? {
    do {
      _ = try await body()
      return nil
    } catch {
      return (error as? BroadcastError)?.code
    }
  }
}
