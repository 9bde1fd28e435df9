//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Synchronization

/// A way to get messages from one publisher to many subscribers.
protocol Contender: Sendable {
  /// Runs `body` while messages can be published and received.
  static func withContender(_ body: (Self) async throws -> Void) async throws

  func publish(_ message: Message) async throws

  /// Subscribes, calls `ready`, and reads `count` messages; `took` is told after each step how many came in it.
  func receive(_ count: Int, ready: () -> Void, took: (Int) -> Void) async throws
}

/// `MemoryBroadcast`, read in batches.
struct Batches: Contender {
  let broadcast: MemoryBroadcast

  static func withContender(_ body: (Batches) async throws -> Void) async throws {
    try await withBroadcast(MemoryBroadcast()) { try await body(Batches(broadcast: $0)) }
  }

  func publish(_ message: Message) async throws { try await broadcast.publish(message) }

  func receive(_ count: Int, ready: () -> Void, took: (Int) -> Void) async throws {
    var left = count
    try await broadcast.withSubscription(to: "events") { subscription in
      ready()
      for try await batch in subscription.batches {
        for delivery in batch { try check(delivery) }
        took(batch.count)
        left -= batch.count
        if left <= 0 { return }
      }
    }
  }
}

/// `MemoryBroadcast`, read element by element.
struct Elements: Contender {
  let broadcast: MemoryBroadcast

  static func withContender(_ body: (Elements) async throws -> Void) async throws {
    try await withBroadcast(MemoryBroadcast()) { try await body(Elements(broadcast: $0)) }
  }

  func publish(_ message: Message) async throws { try await broadcast.publish(message) }

  func receive(_ count: Int, ready: () -> Void, took: (Int) -> Void) async throws {
    var left = count
    try await broadcast.withSubscription(to: "events") { subscription in
      ready()
      for try await delivery in subscription {
        try check(delivery)
        took(1)
        left -= 1
        if left <= 0 { return }
      }
    }
  }
}

/// An `AsyncStream` for each subscriber, bounded as ours is: what one writes without a library.
final class Streams: Contender {
  private let continuations = Mutex<[AsyncStream<Message>.Continuation]>([])

  static func withContender(_ body: (Streams) async throws -> Void) async throws {
    try await body(Streams())
  }

  func publish(_ message: Message) async throws {
    continuations.withLock { for continuation in $0 { continuation.yield(message) } }
  }

  func receive(_ count: Int, ready: () -> Void, took: (Int) -> Void) async throws {
    let (stream, continuation) = AsyncStream<Message>.makeStream(
      bufferingPolicy: .bufferingNewest(BufferPolicy.defaultMaximumMessages))
    continuations.withLock { $0.append(continuation) }
    ready()
    var left = count
    for await message in stream {
      if message.payload.isEmpty { throw Lost() }
      took(1)
      left -= 1
      if left <= 0 { return }
    }
  }
}

/// A contender lost messages: its numbers would mean nothing.
struct Lost: Error {}

private func check(_ delivery: Delivery) throws {
  guard case .message(let message) = delivery, !message.payload.isEmpty else { throw Lost() }
}
