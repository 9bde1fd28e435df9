//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import measuring

/// Readers who come at once to a channel that has kept 100 messages, and begin with all of them.
enum Joining {
  static let readers = 1_000
  private static let kept = 100

  /// Fills the channel. On a broker the readers then come to another program, which has read nothing of it yet.
  static func prepare(_ broadcast: any Broadcast, _ channel: Channel) async throws {
    let text = String(repeating: "x", count: 120)
    for _ in 0..<kept { try await broadcast.publish(text, to: channel) }
  }

  static func measure(_ broadcast: any Broadcast, _ channel: Channel) async throws -> Cost {
    try await Cost.measure(of: readers) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<readers {
          group.addTask {
            let subscription = try await broadcast.subscribe(to: channel, from: .last(kept))
            guard subscription.recovered else { throw MeasurementError("a reader did not get the past") }
            var left = kept
            for try await batch in subscription.batches {
              left -= batch.count
              if left <= 0 { break }
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }
}

struct MeasurementError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
