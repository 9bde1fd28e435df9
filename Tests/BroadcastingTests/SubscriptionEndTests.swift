//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

@Suite("The end of a subscription")
struct SubscriptionEndTests {
  @Test("dropping it unsubscribes and frees its buffer")
  func dropping() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      var subscription: Subscription? = try await broadcast.subscribe(to: ["a", "b"])
      try await broadcast.publish("x", to: "a")
      #expect(subscription != nil)
      #expect(broadcast.statistics.subscribers == 2)
      #expect(broadcast.statistics.bytesHeld > 0)
      subscription = nil
      #expect(broadcast.statistics.subscribers == 0)
      #expect(broadcast.statistics.channels == 0)
      #expect(broadcast.statistics.bytesHeld == 0)
    }
  }

  @Test("an iterator keeps its subscription alive")
  func temporary() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      var iterator = try await broadcast.subscribe(to: "a").makeAsyncIterator()
      try await broadcast.publish("x", to: "a")
      #expect(try await texts(&iterator, 1) == ["x"])
    }
  }

  @Test("cancel() wakes the reader, who gets nil, and drops what was unread")
  func cancelling() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      async let delivery = subscription.first { _ in true }
      subscription.cancel()
      subscription.cancel()
      #expect(try await delivery == nil)
      #expect(broadcast.statistics.subscribers == 0)
    }
  }

  @Test("a cancelled task's reading ends with nil, asleep or not, and unsubscribes")
  func cancelledTask() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      for _ in 0..<200 {
        let subscription = try await broadcast.subscribe(to: "a")
        let end = try await withThrowingTaskGroup(of: Delivery?.self) { group in
          group.addTask {
            for try await delivery in subscription { return delivery }
            return nil
          }
          if Bool.random() { await Task.yield() }
          group.cancelAll()
          return try await group.next()
        }
        #expect(end == .some(nil))
        #expect(broadcast.statistics.subscribers == 0)
      }
    }
  }

  @Test("what a reader has at hand ends too: at once with cancel(), within 16 deliveries with its task")
  func atHand() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: ["a", "b"])
      try await broadcast.publish((0..<100).map { Message("\($0)", to: "a") })
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["0"])
      subscription.cancel()
      #expect(try await iterator.next() == nil)

      let other = try await broadcast.subscribe(to: "a")
      try await broadcast.publish((0..<100).map { Message("\($0)", to: "a") })
      let more = try await withThrowingTaskGroup(of: Int.self) { group in
        group.addTask {
          var count = 0
          for try await _ in other {
            withUnsafeCurrentTask { $0?.cancel() }
            count += 1
          }
          return count
        }
        return try await group.next()
      }
      #expect((1...16).contains(more ?? 0))
    }
  }

  @Test("withSubscription ends it however it is left")
  func scope() async throws {
    struct Stop: Error {}
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      var escaped: Subscription?
      let result = try await broadcast.withSubscription(to: "a") { subscription in
        escaped = subscription
        #expect(broadcast.statistics.subscribers == 1)
        return 7
      }
      #expect(result == 7)
      #expect(broadcast.statistics.subscribers == 0)
      #expect(try await escaped?.first { _ in true } == nil)
      await #expect(throws: Stop.self) { try await broadcast.withSubscription(to: ["a", "b"]) { _ in throw Stop() } }
      #expect(broadcast.statistics.subscribers == 0)
    }
  }

  @Test("withSubscription stays where its caller is")
  func isolation() async throws {
    actor Screen {
      var lines: [String] = []
      func show(_ broadcast: MemoryBroadcast) async throws -> [String] {
        try await broadcast.withSubscription(to: "a") { subscription in
          try await broadcast.publish("x", to: "a")
          for try await delivery in subscription {
            lines.append(text(delivery))
            break
          }
        }
        return lines
      }
    }
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let lines = try await Screen().show(broadcast)
      #expect(lines == ["x"])
    }
  }

  @Test("the end of run() lets readers have what is buffered, then ends them all")
  func endOfRun() async throws {
    let broadcast = MemoryBroadcast()
    let (asleep, buffered) = try await withBroadcast(broadcast) { broadcast in
      let buffered = try await broadcast.subscribe(to: "a")
      try await broadcast.publish("x", to: "a")
      return (try await broadcast.subscribe(to: "b"), buffered)
    }
    #expect(try await asleep.first { _ in true } == nil)
    var iterator = buffered.makeAsyncIterator()
    #expect(try await texts(&iterator, 2) == ["x"])
    #expect(broadcast.statistics.subscribers == 0)
    let error = await #expect(throws: BroadcastError.self) { try await broadcast.publish("x", to: "a") }
    #expect(error?.code == .notRunning && error?.outcome == .notSent)
    let other = await #expect(throws: BroadcastError.self) { try await broadcast.subscribe(to: "a") }
    #expect(other?.code == .notRunning)
  }

  @Test("the end of run() wakes those who sleep")
  func endWakes() async throws {
    let broadcast = MemoryBroadcast()
    try await withThrowingTaskGroup(of: Int.self) { group in
      let subscriptions = try await withBroadcast(broadcast) { broadcast in
        var subscriptions: [Subscription] = []
        for _ in 0..<20 { subscriptions.append(try await broadcast.subscribe(to: ["a", "b"])) }
        for subscription in subscriptions {
          group.addTask {
            var count = 0
            for try await _ in subscription { count += 1 }
            return count
          }
        }
        try await broadcast.publish("x", to: "a")
        return subscriptions
      }
      for try await count in group { #expect(count == 1) }
      withExtendedLifetime(subscriptions) {}
    }
  }
}
