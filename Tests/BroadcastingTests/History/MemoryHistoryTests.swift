//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

@Suite("A history on memory")
struct MemoryHistoryTests {
  let channel: Channel = "kept.a"

  @Test("messages and receipts have positions, which count up by one, with and without readers")
  func positions() async throws {
    try await withBroadcast(MemoryBroadcast(configuration: Hub.keeping().configuration)) { broadcast in
      #expect(broadcast.capabilities.hasHistory && broadcast.capabilities.hasPositions)
      let first = try #require(await broadcast.publish("1", to: channel).position)
      #expect(first.offset == 1 && first.epoch > 0 && first.epoch < 1 << 53)
      let subscription = try await broadcast.subscribe(to: channel)
      #expect(subscription.recovery(of: channel)?.head == first)
      let messages = ["2", "x", "3", "y", "4"].map {
        Message($0, to: $0 >= "x" ? "other" : channel, headers: [.init("a", $0)], position: .init(epoch: 1, offset: 1))
      }
      let receipts = try await broadcast.publish(messages)
      #expect(receipts.map(\.position?.offset) == [2, nil, 3, nil, 4])
      try subscription.setWakeUp {}
      let deliveries = subscription.takeBatch().deliveries
      #expect(deliveries.map { text($0) } == ["2", "3", "4"] && deliveries.map(\.offset) == [2, 3, 4])
      let kept = try await broadcast.history(of: channel)
      #expect(kept.messages.map(\.text) == ["1", "2", "3", "4"])
      #expect(kept.messages.allSatisfy { $0.position?.epoch == first.epoch })
      #expect(kept.messages.last?.headers == [.init("a", "4")])
      #expect(try await broadcast.publish("x", to: "other").position == nil)
    }
  }

  @Test("a position that a message was read with elsewhere is not delivered", arguments: [true, false], [true, false])
  func foreignPosition(hasHistories: Bool, hasPattern: Bool) async throws {
    let configuration = hasHistories ? Hub.keeping().configuration : HubConfiguration()
    try await withBroadcast(MemoryBroadcast(configuration: configuration)) { broadcast in
      let pattern = hasPattern ? try await broadcast.subscribe(to: ChannelPattern("oth*")) : nil
      let subscription = try await broadcast.subscribe(to: "other")
      let foreign = Message("1", to: "other", headers: [.init("a", "b")], position: .init(epoch: 7, offset: 7))
      try await broadcast.publish(foreign)
      try await broadcast.publish([foreign, Message("1", to: "other", headers: [.init("a", "b")])])
      for subscription in [subscription, pattern].compactMap(\.self) {
        try subscription.setWakeUp {}
        let expected = Delivery.message(Message("1", to: "other", headers: [.init("a", "b")]))
        #expect(subscription.takeBatch().deliveries == [expected, expected, expected])
      }
    }
  }

  @Test("rules are written as an array, and one without limits is an exception")
  func rules() {
    var configuration = HubConfiguration()
    configuration.history = [.init("chat.private.*", nil), .init("chat.*", HistoryPolicy(maximumMessages: 50))]
    #expect(configuration.history.policy(of: "chat.private.a") == nil)
    #expect(configuration.history.policy(of: "chat.a")?.maximumMessages == 50)
    #expect(configuration.history.policy(of: "other") == nil)
  }

  @Test("where the logs of quiet channels stood takes no more than an eighth of the memory, and both halves count")
  func smallShelf() {
    let budget = MemoryBudget(limit: 1 << 20)
    let shelf = HistoryShelf(budget: budget)
    for number in 0..<20_000 { shelf.put(.init(epoch: 1, offset: 7), of: Channel("\(number)")) }
    #expect(budget.heldBytes > 1 << 16 && budget.heldBytes < 1 << 17 + 200)
    #expect(shelf.hasForgotten && shelf.position(of: "0") == nil && shelf.position(of: "19999") != nil)
    let before = budget.heldBytes
    shelf.put(.init(epoch: 1, offset: 8), of: "19999")
    #expect(budget.heldBytes == before && shelf.position(of: "19999")?.offset == 8)
  }

  @Test("subscribers to a pattern get the same messages")
  func patterns() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      let pattern = try await hub.subscribe(to: .init("*"), options: .init())
      #expect(pattern.recovered && pattern.recovery(of: channel) == nil)
      try await hub.publish("1", to: channel)
      try await hub.publish(2...3, to: channel)
      try await hub.publish("x", to: "other")
      try pattern.setWakeUp {}
      let deliveries = pattern.takeBatch().deliveries
      #expect(deliveries.map { text($0) } == ["1", "2", "3", "x"] && deliveries.map(\.offset) == [1, 2, 3, nil])
      #expect(try await hub.subscribe(to: channel, from: .last(2)).texts() == ["2", "3"])
    }
  }

  @Test("it is read in parts, each of which says where the next begins")
  func pages() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      let base = try await hub.publish(1...10, to: channel)
      var start = SubscriptionStart.after(base + 1)
      var texts: [String] = []
      var hasMore = true
      while hasMore {
        let part = try await hub.history(of: channel, from: start, limit: 4)
        #expect(part.isComplete && part.head == base + 10 && part.messages.count <= 4)
        texts += part.messages.compactMap(\.text)
        (start, hasMore) = (part.next, part.hasMore)
      }
      #expect(texts == (2...10).map { "\($0)" } && start == .after(base + 10))
      let last = try await hub.history(of: channel, from: .last(3), limit: 2)
      #expect(last.messages.map(\.text) == ["8", "9"] && last.hasMore && last.next == .after(base + 9))
      let live = try await hub.history(of: channel, from: .live, limit: 1)
      #expect(live.messages.isEmpty && live.head == base + 10 && live.isComplete && !live.hasMore)
      #expect(try await hub.history(of: channel, from: .last(5), limit: -1).messages.map(\.text) == ["6"])
      let stranger = try await hub.history(of: channel, from: .after(.init(epoch: 1, offset: 1)), limit: 100)
      #expect(!stranger.isComplete && stranger.messages.count == 10)
      let nobody = try await hub.history(of: "kept.b")
      #expect(nobody == History(channel: "kept.b"))
      #expect(hub.channels.feed(of: "kept.b") == nil)
    }
  }

  @Test("an answer has a limit of bytes, and one message however large")
  func pageBytes() async throws {
    try await withBroadcast(Hub.keeping(.init(maximumBytes: 32 << 20))) { hub in
      for size in [5 << 20, 3 << 20, 2 << 20] {
        try await hub.publish(Message([UInt8](repeating: 0, count: size), to: channel))
      }
      let first = try await hub.history(of: channel)
      #expect(first.messages.count == 1 && first.hasMore)
      let second = try await hub.history(of: channel, from: first.next, limit: 100)
      #expect(second.messages.count == 1 && second.hasMore)
      #expect(try await hub.history(of: channel, from: second.next, limit: 100).messages.count == 1)
    }
  }

  @Test("limits of count and bytes hold, and statistics say what is kept")
  func limits() async throws {
    try await withBroadcast(Hub.keeping(.init(maximumMessages: 10, maximumBytes: 1_000))) { hub in
      try await hub.publish(100...120, to: "kept.a")
      for _ in 1...9 { try await hub.publish(Message([UInt8](repeating: 0, count: 300), to: "kept.b")) }
      let statistics = hub.statistics
      #expect(statistics.historyMessages == 13 && statistics.historyBytes == 30 + 900)
      #expect(statistics.bytesHeld > 930 && statistics.channels == 0 && statistics.published == 30)
      #expect(try await hub.history(of: "kept.b").messages.map(\.position?.offset) == [7, 8, 9])
    }
  }

  @Test("what is too old goes, the channel with it, and who comes back is told the truth")
  func age() async throws {
    try await withBroadcast(Hub.keeping(.init(maximumAge: .seconds(10_000)))) { hub in
      let base = try await hub.publish(1...3, to: channel)
      await hub.trimHistories(now: 9_000)
      try await hub.publish("4", to: channel)
      await hub.trimHistories(now: 12_000)
      let some = try await hub.subscribe(to: channel, from: .after(base + 1))
      #expect(!some.recovered)
      #expect(try some.texts() == ["gap:2:historyTrimmed", "4"])
      some.cancel()
      await hub.trimHistories(now: 30_000)
      #expect(hub.channels.feed(of: channel) == nil && hub.statistics.historyMessages == 0)

      // All has gone, but how far the log was is known.
      let kept = try await hub.history(of: channel, from: .after(base + 2), limit: 10)
      #expect(!kept.isComplete && kept.messages.isEmpty && kept.head == base + 4)
      let behind = try await hub.subscribe(to: channel, from: .after(base + 2))
      #expect(behind.recovery(of: channel) == Recovery(isComplete: false, messages: 0, head: base + 4))
      let current = try await hub.subscribe(to: channel, from: .after(base + 4))
      #expect(current.recovered)
      #expect(try await hub.publish("5", to: channel).position == base + 5)
      #expect(try behind.texts() == ["gap:2:historyTrimmed", "5"])
      #expect(try current.texts() == ["5"])
    }
  }

  @Test("a channel with readers and nothing kept stays, and goes with the last of them")
  func readersKeepIt() async throws {
    try await withBroadcast(Hub.keeping(.init(maximumAge: .seconds(10_000)))) { hub in
      let subscription = try await hub.subscribe(to: channel)
      let base = try await hub.publish(1...3, to: channel)
      await hub.trimHistories(now: 20_000)
      #expect(hub.statistics.channels == 1 && hub.statistics.historyMessages == 0)
      #expect(try subscription.texts() == ["1", "2", "3"])
      subscription.cancel()
      #expect(hub.channels.feed(of: channel) == nil)
      #expect(try await hub.publish("4", to: channel).position == base + 4)
    }
  }

  @Test("positions of channels that went are remembered within bounds, and beyond them it says that it may have missed")
  func shelf() {
    let budget = MemoryBudget()
    do {
      let shelf = HistoryShelf(budget: budget)
      for number in 0..<HistoryShelf.half * 2 { shelf.put(.init(epoch: 1, offset: 7), of: Channel("\(number)")) }
      #expect(!shelf.hasForgotten && shelf.position(of: "0")?.offset == 7)
      #expect(budget.heldBytes > HistoryShelf.half * 128 && budget.heldBytes < HistoryShelf.half * 160)
      shelf.put(.init(epoch: 1, offset: 8), of: Channel("0"))
      #expect(shelf.hasForgotten && shelf.position(of: "0")?.offset == 8 && shelf.position(of: "1") == nil)
      #expect(shelf.position(of: Channel("\(HistoryShelf.half)")) != nil)
    }
    #expect(budget.heldBytes == 0)
    let ring = HistoryRing(.init(), base: .init(epoch: 1, offset: 0), isTruth: true, budget: budget)
    let history = FeedHistory("a", ring, hasUnknownPast: true, clock: HistoryClock(), budget: budget)
    #expect(history.past(for: .after(.beginning))?.recovery.isComplete == false)
    #expect(history.past(for: .last(5))?.recovery.isComplete == true)
  }

  @Test("for the limit of all buffers the oldest goes, of whichever channel, and it is counted")
  func budget() async throws {
    try await withBroadcast(Hub.keeping(.init(maximumMessages: 1_000), bufferedBytes: 1 << 20)) { hub in
      let payload = [UInt8](repeating: 0, count: 10_000)
      let base = try await hub.publish(1...100, to: "kept.old")
      for number in 0..<300 { try await hub.publish(Message(payload, to: Channel("kept.\(number % 3)"))) }
      #expect(hub.statistics.bytesHeld <= 1 << 20)
      #expect(hub.channels.feed(of: "kept.old") == nil)
      let old = try await hub.subscribe(to: "kept.old", from: .after(base + 40))
      #expect(try old.texts() == ["gap:60:historyTrimmed"])
      let kept = try await hub.history(of: "kept.0")
      #expect(kept.messages.count > 10 && kept.messages.count < 100)
      #expect(kept.messages.last?.position?.offset == 100)
    }
  }

  @Test("many channels with little in them are bounded too")
  func manyChannels() async throws {
    try await withBroadcast(Hub.keeping(bufferedBytes: 1 << 20)) { hub in
      for number in 0..<5_000 { try await hub.publish("x", to: Channel("kept.\(number)")) }
      #expect(hub.statistics.bytesHeld <= 1 << 20)
      #expect(hub.statistics.historyMessages < 2_000 && hub.statistics.historyMessages > 100)
    }
  }

  @Test("nothing is held when the hub has gone")
  func released() async throws {
    let budget = MemoryBudget()
    do {
      var configuration = Hub.keeping().configuration
      configuration.budget = budget
      try await withBroadcast(Hub(configuration: configuration)) { hub in
        for _ in 1...20 { try await hub.publish(1...10, to: channel) }
        let subscription = try await hub.subscribe(to: channel, from: .last(50))
        try await hub.publish(1...10, to: channel)
        #expect(budget.heldBytes > 0 && subscription.unreadMessages == 60)
      }
    }
    #expect(budget.heldBytes == 0)
  }
}
