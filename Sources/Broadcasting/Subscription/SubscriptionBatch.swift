//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What an event loop takes at once.
package struct SubscriptionBatch: Sendable {
  /// How a subscription ended.
  package enum End: Sendable {
    case finished
    case failed(BroadcastError)
  }

  package var deliveries: [Delivery] = []
  /// Whether more is there already. Then nothing will call the wake-up: take again.
  package var hasMore = false
  /// Set when nothing will come any more.
  package var end: End?
}
