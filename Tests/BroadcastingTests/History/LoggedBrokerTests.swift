//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

/// A reader who joins when so many messages have been published.
private struct Joiner: Sendable {
  let number: Int
  let joinAt: Int
  /// Opened then: a hundred who ask again and again would leave the publisher no turn.
  let latch = Latch()
  /// The number of the message behind which it begins, or nil where it begins with the last.
  let after: Int?
  let last: Int

  init(_ number: Int, of total: Int) {
    var random = SeededGenerator(seed: UInt64(number))
    self.number = number
    joinAt = Int.random(in: 1..<total - 100, using: &random)
    last = Int.random(in: 1...500, using: &random)
    after = number % 3 == 0 ? nil : Int.random(in: 0..<joinAt, using: &random)
  }

  var start: SubscriptionStart {
    after.map { .after(MessagePosition(epoch: 1, offset: UInt64($0) + 1)) } ?? .last(last)
  }
}

@Suite("Histories at a broker whose lines break", .timeLimit(.minutes(5)))
struct LoggedBrokerTests {
  private func configuration(_ maximumMessages: Int) -> HubConfiguration {
    var configuration = HubConfiguration.quick()
    configuration.history = [.init("*", HistoryPolicy(maximumMessages: maximumMessages, maximumBytes: 1 << 24))]
    return configuration
  }

  private func withHub(
    _ broker: LoggedBroker, keeping maximumMessages: Int = 100, seed: UInt64 = 1,
    _ body: (Hub) async throws -> Void
  ) async throws {
    let hub = Hub(driver: LoggedDriver(broker, seed: seed), configuration: configuration(maximumMessages))
    try await withBroadcast(hub) { hub in try await body(hub) }
  }

  /// Cuts the lines, and waits until they stand again.
  private func cut(_ broker: LoggedBroker, _ hubs: [Hub]) async {
    let before = hubs.map(\.statistics.reconnects)
    await broker.cut()
    for (hub, count) in zip(hubs, before) {
      // Between two looks, so that whoever reconnects gets a turn.
      while hub.statistics.reconnects == count { try? await Task.sleep(for: .milliseconds(1)) }
    }
  }

  private func message(_ number: Int) -> Message { Message("\(number)", to: "a") }

  @Test("a history is configured in vain where the driver keeps none: the hub does not run")
  func unsupported() async throws {
    var configuration = HubConfiguration.quick()
    configuration.history = [.init("*")]
    let hub = Hub(driver: ScriptedDriver(), configuration: configuration)
    #expect(await failure { try await hub.run() }?.code == .unsupportedHistory)
  }

  @Test("receipts carry the positions that the broker gives")
  func receipts() async throws {
    let broker = LoggedBroker()
    try await withHub(broker) { hub in
      let receipts = try await hub.publish([message(0), message(1)])
      #expect(receipts.map(\.position?.offset) == [1, 2])
      #expect(try await hub.history(of: "a").messages.map(\.position) == receipts.map(\.position))
    }
  }

  @Test("a thousand readers with one start ask the broker once")
  func thousand() async throws {
    let broker = LoggedBroker()
    for number in 0..<200 { await broker.publish(message(number)) }
    try await withHub(broker) { hub in
      var subscriptions: [Subscription] = []
      for _ in 0..<1_000 { subscriptions.append(try await hub.subscribe(to: "a", from: .last(100))) }
      #expect(subscriptions.allSatisfy { $0.recovered && $0.recovery(of: "a")?.messages == 100 })
      #expect(await broker.questions <= 2)
      #expect(hub.statistics.bytesHeld < 400_000)
    }
  }

  @Test("what the limits took while the lines were cut is a gap with its number")
  func trimmedUnderTheReader() async throws {
    let broker = LoggedBroker(maximumMessages: 20)
    try await withHub(broker, keeping: 20) { hub in
      var iterator = try await hub.subscribe(to: "a").makeAsyncIterator()
      _ = try await hub.publish(message(0))
      #expect(try await texts(&iterator, 1) == ["0"])
      await broker.cut { broker in for number in 1...50 { broker.publish(message(number)) } }
      #expect(try await texts(&iterator, 21) == ["gap:30:historyTrimmed"] + (31...50).map(String.init))
    }
  }

  @Test("all that a policy keeps is read, by who joins and after a lost connection, however many pages that are")
  func manyPages() async throws {
    let broker = LoggedBroker(maximumMessages: 40_000)
    await broker.publish((0..<17_000).map(message))
    try await withHub(broker, keeping: 40_000) { hub in
      let options = SubscriptionOptions(buffer: .dropOldest(maximumMessages: 50_000), start: .last(17_000))
      let subscription = try await hub.subscribe(to: ["a"], options: options)
      #expect(subscription.recovery(of: "a")?.isComplete == true && subscription.recovery(of: "a")?.messages == 17_000)
      await broker.cut()
      await broker.publish((17_000..<34_000).map(message))
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 34_000) == (0..<34_000).map(String.init))
    }
  }

  @Test("trimmed between two pages, the rest comes behind a gap")
  func trimmedBetweenPages() async throws {
    let broker = LoggedBroker(maximumMessages: 50, largestPage: 1)
    for number in 0..<50 { await broker.publish(message(number)) }
    try await withHub(broker, keeping: 50) { hub in
      async let publishing: Void = {
        for number in 50..<400 {
          await broker.publish(message(number))
          await Task.yield()
        }
      }()
      let subscription = try await hub.subscribe(to: "a", from: .after(.beginning))
      await publishing
      var next = 0
      for try await delivery in subscription {
        switch delivery {
        case .gap(let gap): next += try #require(gap.missed)
        case .message(let message):
          #expect(message.text == "\(next)")
          next += 1
        }
        if next == 400 { break }
      }
    }
  }

  @Test("a broker that comes back with another epoch leaves a gap at the border", arguments: [true, false])
  func restarted(keepingData: Bool) async throws {
    let broker = LoggedBroker()
    try await withHub(broker) { hub in
      let subscription = try await hub.subscribe(to: "a")
      var iterator = subscription.makeAsyncIterator()
      let receipt = try await hub.publish(message(0))
      _ = try await texts(&iterator, 1)
      await broker.cut { broker in
        broker.publish(message(1))
        broker.restart(keepingData: keepingData)
        broker.publish(message(2))
      }
      let expected = (keepingData ? ["1"] : []) + ["gap:?:historyRestarted", "2"]
      #expect(try await texts(&iterator, expected.count) == expected)
      let late = try await hub.subscribe(to: "a", from: .after(try #require(receipt.position)))
      #expect(!late.recovered)
      iterator = late.makeAsyncIterator()
      #expect(try await texts(&iterator, expected.count) == expected)
    }
  }

  @Test("what others publish without a position makes a lost connection a gap")
  func plain() async throws {
    let broker = LoggedBroker()
    try await withHub(broker) { hub in
      var iterator = try await hub.subscribe(to: "a").makeAsyncIterator()
      await broker.publishPlain(message(0))
      await broker.publish(message(1))
      #expect(try await texts(&iterator, 2) == ["0", "1"])
      await cut(broker, [hub])
      await broker.publish(message(2))
      #expect(try await texts(&iterator, 2) == ["gap:?:connectionLost", "2"])
    }
  }

  @Test("a hundred readers who join at random places while the lines are cut see every message once, in order")
  func hundredReaders() async throws {
    let total = 10_000
    let broker = LoggedBroker(maximumMessages: 20_000)
    try await withHub(broker, keeping: 20_000, seed: 1) { one in
      try await withHub(broker, keeping: 20_000, seed: 2) { other in
        // Lines that don't stand yet can't be cut.
        for hub in [one, other] { try await hub.admit() }
        let joiners = (0..<100).map { Joiner($0, of: total) }
        let joining = Dictionary(grouping: joiners, by: \.joinAt)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            for number in 0..<total {
              let position = await broker.publish(message(number))
              #expect(position.offset == UInt64(number) + 1)
              for joiner in joining[number + 1] ?? [] { joiner.latch.succeed() }
              if number % 2_500 == 2_499 { await cut(broker, [one, other]) }
            }
          }
          for joiner in joiners {
            group.addTask {
              try await joiner.latch.wait()
              let buffer = BufferPolicy.dropOldest(maximumMessages: 20_000, maximumBytes: 1 << 24)
              try await read(
                from: joiner.start, after: joiner.after, joiner.number % 2 == 0 ? one : other, buffer, total)
            }
          }
          try await group.waitForAll()
        }
        #expect(one.statistics.gaps + other.statistics.gaps == 0)
        #expect(one.statistics.reconnects == 4)
      }
    }
  }

  private func read(
    from start: SubscriptionStart, after: Int?, _ hub: Hub, _ buffer: BufferPolicy, _ total: Int
  ) async throws {
    var subscription: Subscription?
    while subscription == nil {
      // While the lines are cut nobody can subscribe.
      do throws(BroadcastError) {
        subscription = try await hub.subscribe(to: "a", from: start, buffer: buffer)
      } catch {
        guard error.isRetriable else { throw error }
        await Task.yield()
      }
    }
    var next = after.map { $0 + 1 }
    guard let subscription, next != total else { return }
    #expect(subscription.recovered)
    for try await delivery in subscription {
      guard case .message(let message) = delivery, let number = message.text.flatMap({ Int($0) }) else {
        Issue.record("\(delivery)")
        return
      }
      if let next, next != number {
        Issue.record("\(number) in place of \(next)")
        return
      }
      next = number + 1
      if next == total { return }
    }
  }
}
