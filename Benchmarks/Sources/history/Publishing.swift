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

/// Messages of 120 bytes to one channel with one subscriber, 64 tasks which each await their publishes.
enum Publishing {
  private static let publishers = 64

  static func measure(_ broadcast: any Broadcast, messages: Int) async throws -> Cost {
    let each = max(1, messages / publishers)
    let message = Message(String(repeating: "x", count: 120), to: "publishing")
    let options = SubscriptionOptions(buffer: .fail(maximumMessages: 1_000_000, maximumBytes: 240 * 1_024 * 1_024))
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
