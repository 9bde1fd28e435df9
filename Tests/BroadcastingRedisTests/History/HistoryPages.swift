//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker

@testable import BroadcastingRedis

struct Surprise: Error, CustomStringConvertible {
  var description: String
}

extension RedisBroadcast {
  func page(_ channel: Channel, _ start: SubscriptionStart, messages: Int = 256, bytes: Int = 1 << 20) async throws
    -> HistoryPage
  {
    try await driver.history(of: channel, HistoryQuery(start, maximumMessages: messages, maximumBytes: bytes))
  }

  /// All messages behind a start, page by page.
  func all(_ channel: Channel, _ start: SubscriptionStart = .after(.beginning)) async throws -> [Message] {
    var messages: [Message] = []
    var start = start
    while true {
      let page = try await page(channel, start)
      messages += page.messages
      if page.reachesHead { return messages }
      guard let last = messages.last?.position else { return messages }
      start = .after(last)
    }
  }

  func texts(_ channel: Channel, _ start: SubscriptionStart = .after(.beginning)) async throws -> [String] {
    try await all(channel, start).map { $0.text ?? "binary" }
  }

  /// Publishes, and gives back the position.
  @discardableResult
  func record(_ text: String, to channel: Channel) async throws -> MessagePosition {
    guard let position = try await publish(text, to: channel).position else {
      throw Surprise(description: "A message without a position.")
    }
    return position
  }
}

/// The next messages of a subscription.
func take(_ count: Int, _ deliveries: inout Subscription.Iterator) async throws -> [Message] {
  var messages: [Message] = []
  while messages.count < count, let delivery = try await deliveries.next() {
    guard case .message(let message) = delivery else { throw Surprise(description: "\(delivery)") }
    messages.append(message)
  }
  return messages
}
