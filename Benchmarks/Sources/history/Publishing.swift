//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import measuring

/// What one part of a measurement took, for each message, reader or member, in nanoseconds.
struct Cost: Sendable {
  var cpu: Double
  var wall: Double

  static func measure(of count: Int, _ body: () async throws -> Void) async rethrows -> Cost {
    let (start, cpu) = (Clock.monotonic(), Clock.cpu())
    try await body()
    return Cost(
      cpu: Double(Clock.cpu() - cpu) / Double(count), wall: Double(Clock.monotonic() - start) / Double(count))
  }
}

/// Messages of 120 bytes to one channel with one subscriber.
enum Publishing {
  private static let publishers = 64
  private static let message = Message(String(repeating: "x", count: 120), to: "publishing")
  private static let options = SubscriptionOptions(
    buffer: .fail(maximumMessages: 1_000_000, maximumBytes: 240 * 1_024 * 1_024))

  /// One task publishes 64, then reads them. Where no broker is waited for, tasks side by side would measure how their threads
  /// get in each other's way, which is ten times as much from one run to the next.
  static func measureInTurn(_ broadcast: any Broadcast, messages: Int) async throws -> Cost {
    try await broadcast.withSubscription(to: message.channel, options: options) { subscription in
      var batches = subscription.batches.makeAsyncIterator()
      let bursts = max(1, messages / publishers)
      return try await Cost.measure(of: bursts * publishers) {
        for _ in 0..<bursts {
          for _ in 0..<publishers { try await broadcast.publish(message) }
          var left = publishers
          while left > 0, let batch = try await batches.next() { left -= batch.count }
        }
      }
    }
  }

  /// 64 tasks which each await their publishes, beside one that reads.
  static func measureAtOnce(_ broadcast: any Broadcast, messages: Int) async throws -> Cost {
    let each = max(1, messages / publishers)
    return try await broadcast.withSubscription(to: message.channel, options: options) { subscription in
      try await Cost.measure(of: each * publishers) {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            var left = each * publishers
            for try await batch in subscription.batches {
              left -= batch.count
              if left <= 0 { break }
            }
          }
          for _ in 0..<publishers {
            group.addTask { for _ in 0..<each { try await broadcast.publish(message) } }
          }
          try await group.waitForAll()
        }
      }
    }
  }
}
