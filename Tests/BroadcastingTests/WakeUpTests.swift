//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization
import Testing

@testable import Broadcasting

@Suite("Reading by wake-up")
struct WakeUpTests {
  private final class Counter: Sendable {
    let calls = Atomic<Int>(0)
    var count: Int { calls.load(ordering: .sequentiallyConsistent) }
    func call() { calls.add(1, ordering: .sequentiallyConsistent) }
  }

  @Test("one call until the reader has taken everything, then one again")
  func oneCall() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: ["a", "b"])
      let counter = Counter()
      try subscription.setWakeUp { counter.call() }
      #expect(counter.count == 0)
      for _ in 0..<3 {
        let before = counter.count
        try await broadcast.publish("1", to: "a")
        try await broadcast.publish("2", to: "b")
        try await broadcast.publish("3", to: "a")
        #expect(counter.count == before + 1)
        let batch = subscription.takeBatch()
        #expect(batch.deliveries.count == 3 && !batch.hasMore && batch.end == nil)
        #expect(subscription.takeBatch().deliveries.isEmpty)
      }
    }
  }

  @Test("what was there before is told at once")
  func unreadBefore() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      try await broadcast.publish("1", to: "a")
      let counter = Counter()
      try subscription.setWakeUp { counter.call() }
      #expect(counter.count == 1)
      #expect(subscription.takeBatch().deliveries.map(text) == ["1"])
    }
  }

  @Test("limits leave the rest for the next batch, and say so")
  func limits() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      try subscription.setWakeUp {}
      for number in 0..<10 { try await broadcast.publish("\(number)", to: "a") }
      let first = subscription.takeBatch(maximumMessages: 4)
      #expect(first.deliveries.map(text) == ["0", "1", "2", "3"] && first.hasMore)
      let second = subscription.takeBatch(maximumBytes: 1)
      #expect(second.deliveries.map(text) == ["4"] && second.hasMore)
      #expect(subscription.takeBatch().deliveries.map(text) == ["5", "6", "7", "8", "9"])
    }
  }

  @Test("the end is told, after what was buffered; a failure with its error")
  func ends() async throws {
    let counter = Counter()
    let (finished, cancelled) = try await withBroadcast(MemoryBroadcast()) { broadcast in
      let failing = try await broadcast.subscribe(to: "a", options: .init(buffer: .fail(maximumMessages: 1)))
      try failing.setWakeUp {}
      let finished = try await broadcast.subscribe(to: "a")
      let cancelled = try await broadcast.subscribe(to: "b")
      try cancelled.setWakeUp { counter.call() }
      cancelled.cancel()
      #expect(counter.count == 1)
      for number in 0..<2 { try await broadcast.publish("\(number)", to: "a") }
      guard case .failed(let error)? = failing.takeBatch().end else {
        Issue.record("no failure")
        return (finished, cancelled)
      }
      #expect(error.code == .fellBehind)
      return (finished, cancelled)
    }
    try finished.setWakeUp { counter.call() }
    #expect(counter.count == 2)
    let batch = finished.takeBatch()
    #expect(batch.deliveries.map(text) == ["0", "1"])
    guard case .finished? = batch.end, case .finished? = cancelled.takeBatch().end else {
      Issue.record("no end")
      return
    }
  }

  @Test("nothing is missed between taking and sleeping, whoever publishes meanwhile")
  func race() async throws {
    let publishers = 4
    let each = 5_000
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let options = SubscriptionOptions(buffer: .fail(maximumMessages: publishers * each))
      let subscription = try await broadcast.subscribe(to: ["a", "b"], options: options)
      let (calls, continuation) = AsyncStream.makeStream(of: Void.self)
      try subscription.setWakeUp { continuation.yield() }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for publisher in 0..<publishers {
          group.addTask {
            for number in 0..<each {
              try await broadcast.publish("\(publisher)/\(number)", to: number % 2 == 0 ? "a" : "b")
            }
          }
        }
        var received = 0
        for await _ in calls {
          var batch: SubscriptionBatch
          repeat {
            batch = subscription.takeBatch(maximumMessages: 64)
            received += batch.deliveries.count
          } while batch.hasMore
          if received == publishers * each { break }
        }
        #expect(received == publishers * each)
        try await group.waitForAll()
      }
    }
  }
}
