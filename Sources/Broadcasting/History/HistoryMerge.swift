//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Sets messages of a history one behind the other, and a gap where some are missing: the one place for the rules of gaps.
///
/// Pages are added as they come. Nothing is known of what lies before the first of them where no position is given.
struct HistoryMerge: Sendable {
  let channel: Channel
  /// Up to where all has been added, or is known to be missing.
  private(set) var end: MessagePosition?
  private(set) var deliveries: [Delivery] = []
  private(set) var messages = 0
  private(set) var isComplete = true

  /// - Parameter start: What has been had already, or nil for a part of the history that begins anywhere.
  init(_ channel: Channel, after start: MessagePosition?) {
    self.channel = channel
    end = start
  }

  /// Adds messages in their order. What has no position stands where it came.
  mutating func add(_ messages: some Sequence<Message>) {
    for message in messages {
      if let position = message.position {
        advance(to: MessagePosition(epoch: position.epoch, offset: position.offset - min(1, position.offset)))
        end = position
      }
      deliveries.append(.message(message))
      self.messages += 1
    }
  }

  /// Ends it at the newest position of the channel, whose message may be kept no more.
  mutating func reach(_ head: MessagePosition) {
    // Where nothing was given of what begins anywhere, nothing is missing.
    if end == nil { end = head } else { advance(to: head) }
  }

  private mutating func advance(to position: MessagePosition) {
    if let end, let gap = Self.gap(on: channel, from: end, to: position) {
      deliveries.append(.gap(gap))
      isComplete = false
    }
    end = position
  }

  /// What is missing for somebody who has all up to a position, and gets what is behind another.
  static func gap(on channel: Channel, from had: MessagePosition, to next: MessagePosition) -> Gap? {
    if had == next { return nil }
    // Before all messages, whichever epoch they are of.
    if had == .beginning || had.epoch == next.epoch, next.offset >= had.offset {
      return next.offset == had.offset
        ? nil : Gap(channel: channel, missed: Int(exactly: next.offset - had.offset), reason: .historyTrimmed)
    }
    return Gap(channel: channel, missed: nil, reason: .historyRestarted)
  }
}
