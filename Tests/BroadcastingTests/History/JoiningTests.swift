//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization
import TestSupport
import Testing

@testable import Broadcasting

@Suite("Past and live joined, on memory", .timeLimit(.minutes(5)))
struct JoiningTests {
  private final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    var count: Int { value.load(ordering: .sequentiallyConsistent) }
    func set(_ count: Int) { value.store(count, ordering: .sequentiallyConsistent) }
    func add() { value.add(1, ordering: .sequentiallyConsistent) }
  }

  let channel: Channel = "kept.a"

  @Test("readers who join at any time see each message once and in order, from where they asked on")
  func joining() async throws {
    let total = 10_000
    try await withBroadcast(Hub.keeping(.init(maximumMessages: 20_000))) { hub in
      let base = try await hub.publish(1...1, to: channel)
      let published = Counter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for number in 2...total {
            let receipt = try await hub.publish("\(number)", to: channel)
            #expect(receipt.position == base + number)
            published.set(number)
          }
        }
        for seed in 0..<100 {
          group.addTask {
            var generator = SeededGenerator(seed: UInt64(seed))
            let begin = Int.random(in: 1..<total * 9 / 10, using: &generator)
            while published.count < begin { await Task.yield() }
            let from = Int.random(in: 0...published.count, using: &generator)
            let start = seed % 4 == 0 ? SubscriptionStart.last(from) : .after(base + from)
            let buffer = BufferPolicy.fail(maximumMessages: total)
            let subscription = try await hub.subscribe(to: channel, from: start, buffer: buffer)
            #expect(subscription.recovered)
            let recovery = try #require(subscription.recovery(of: channel))
            var next = Int(recovery.head?.offset ?? 0) - recovery.messages + 1
            if seed % 4 == 0 { #expect(recovery.messages == from) } else { #expect(next == from + 1) }
            guard next <= total else { return }
            for try await message in subscription.messages(onGap: .throw) {
              guard message.text == "\(next)", message.position == base + next else {
                Issue.record("\(message) came in place of \(next)")
                return
              }
              next += 1
              if next > total { break }
            }
            #expect(next == total + 1)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("readers who ask for the same share it")
  func sharing() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      try await hub.publish(1...100, to: channel)
      let before = hub.statistics.bytesHeld
      var subscriptions: [Subscription] = []
      for _ in 0..<1_000 { subscriptions.append(try await hub.subscribe(to: channel, from: .last(100))) }
      let pasts = try #require(hub.channels.feed(of: channel)).state.withLock { state in
        state.readers.readers.compactMap(\.past?.past)
      }
      #expect(pasts.count == 1_000 && pasts.allSatisfy { $0 === pasts[0] })
      #expect(hub.statistics.bytesHeld < before + 4_096)
      try await hub.publish("101", to: channel)
      let later = try await hub.subscribe(to: channel, from: .last(100))
      #expect(try later.texts().first == "2")
      #expect(try subscriptions[500].texts() == (1...101).map { "\($0)" })
    }
  }

  @Test("a slow reader gets its past, and a gap with the count behind it")
  func slowReader() async throws {
    try await withBroadcast(Hub.keeping(.init(maximumMessages: 20))) { hub in
      try await hub.publish(1...30, to: channel)
      let subscription = try await hub.subscribe(
        to: channel, from: .last(20), buffer: .dropOldest(maximumMessages: 10))
      try await hub.publish(31...100, to: channel)
      #expect(hub.statistics.historyMessages == 20)
      let expected = (11...30).map { "\($0)" } + ["gap:60:slowConsumer"] + (91...100).map { "\($0)" }
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 31) == expected)
      #expect(hub.statistics.gaps == 1 && hub.statistics.dropped == 60 && hub.statistics.delivered == 30)
    }
  }

  @Test("a reader who must not miss anything fails behind its past")
  func failing() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      try await hub.publish(1...3, to: channel)
      let subscription = try await hub.subscribe(to: channel, from: .last(3), buffer: .fail(maximumMessages: 2))
      try await hub.publish(4...6, to: channel)
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 3) == ["1", "2", "3"])
      let error = await #expect(throws: BroadcastError.self) { try await iterator.next() }
      #expect(error?.code == .fellBehind)
    }
  }

  @Test("batches give the past first, of each channel")
  func batches() async throws {
    try await withBroadcast(Hub.keeping(.init(maximumMessages: 500))) { hub in
      try await hub.publish(1...300, to: "kept.a")
      try await hub.publish(1...300, to: "kept.b")
      let subscription = try await hub.subscribe(to: ["kept.a", "kept.b"], options: .init(start: .last(250)))
      for number in 301...310 {
        try await hub.publish("\(number)", to: "kept.a")
        try await hub.publish("\(number)", to: "kept.b")
      }
      var offsets: [Channel: [Int]] = [:]
      var count = 0
      for try await batch in subscription.batches {
        #expect(!batch.isEmpty && batch.count <= 256)
        for case .message(let message) in batch {
          offsets[message.channel, default: []].append(Int(message.position?.offset ?? 0))
        }
        count += batch.count
        if count == 520 { break }
      }
      #expect(offsets == ["kept.a": Array(51...310), "kept.b": Array(51...310)])
    }
  }

  @Test("a past that waits is unread: an event loop is called for it, and limits leave the rest")
  func wakeUps() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      try await hub.publish(1...10, to: channel)
      let subscription = try await hub.subscribe(to: channel, from: .last(10))
      #expect(subscription.unreadMessages == 10)
      let calls = Counter()
      try subscription.setWakeUp { calls.add() }
      #expect(calls.count == 1)
      let first = subscription.takeBatch(maximumMessages: 4)
      #expect(first.deliveries.map { text($0) } == ["1", "2", "3", "4"] && first.hasMore)
      try await hub.publish("11", to: channel)
      #expect(subscription.unreadMessages == 7)
      let second = subscription.takeBatch(maximumBytes: 1)
      #expect(second.deliveries.map { text($0) } == ["5"] && second.hasMore)
      let rest = subscription.takeBatch()
      #expect(rest.deliveries.map { text($0) } == (6...11).map { "\($0)" } && !rest.hasMore)
      let before = calls.count
      try await hub.publish("12", to: channel)
      #expect(calls.count == before + 1)
      #expect(subscription.takeBatch().deliveries.map { text($0) } == ["12"])
    }
  }

  @Test("what ends with run() gives its past first")
  func ending() async throws {
    let hub = Hub.keeping()
    let subscription = try await withBroadcast(hub) { hub in
      try await hub.publish(1...3, to: channel)
      return try await hub.subscribe(to: channel, from: .last(2))
    }
    var iterator = subscription.makeAsyncIterator()
    #expect(try await texts(&iterator, 5) == ["2", "3"])
  }

  @Test("for the limit of all buffers a past that nobody reads becomes a gap with its count")
  func stalledPast() async throws {
    try await withBroadcast(Hub.keeping(.init(maximumMessages: 50), bufferedBytes: 1 << 20)) { hub in
      try await hub.publish(1...50, to: channel)
      let subscription = try await hub.subscribe(
        to: channel, from: .last(50), buffer: .dropOldest(maximumMessages: 10))
      let payload = [UInt8](repeating: 0, count: 30_000)
      for _ in 0..<300 { try await hub.publish(Message(payload, to: "kept.b")) }
      #expect(try subscription.texts() == ["gap:50:memoryLimit"])
    }
  }

  @Test("what a reader has had elsewhere is passed over, once")
  func skipping() async throws {
    try await withBroadcast(Hub.keeping()) { hub in
      let base = try await hub.publish(1...1, to: channel)
      let subscription = try await hub.subscribe(to: channel)
      let feed = try #require(hub.channels.feed(of: channel))
      let past = Past([], Recovery(), skipThrough: base + 3, budget: hub.budget)
      feed.state.withLock { feed.give(past, to: 0, &$0) }
      var iterator = subscription.makeAsyncIterator()
      try await hub.publish(2...5, to: channel)
      #expect(try await texts(&iterator, 2) == ["4", "5"])
      try await hub.publish("6", to: channel)
      #expect(try await texts(&iterator, 1) == ["6"])
    }
  }
}
