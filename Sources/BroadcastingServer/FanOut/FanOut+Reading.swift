//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Reading histories, a few at a time: each may be some megabytes, which nothing counts until they are frames or an answer.
extension FanOut {
  /// Reads a part of a history when its turn has come. Those who wait have nothing in memory.
  func history(of channel: Channel, from start: SubscriptionStart, limit: Int) async throws(BroadcastError) -> History {
    await historyTurns.take()
    defer { historyTurns.pass() }
    return try await broadcast.history(of: channel, from: start, limit: limit)
  }
}
