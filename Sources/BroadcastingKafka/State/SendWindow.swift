//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingBroker

/// Which calls wait until a topic's messages on their way are answered.
///
/// An idempotent producer of librdkafka sends nothing more to a partition while five messages or more are unanswered there
/// (`RD_KAFKA_IDEMP_MAX_INFLIGHT` in its rdkafka_idempotence.h, which it compares with messages). What it is given meanwhile
/// it looks at again and again without a pause: with an answer after 4 ms that took most of a processor. What waits here takes
/// nothing, goes as one request afterwards, and is known not to be sent.
///
/// Only a topic of one partition waits: a partition without a leader would hold up the others.
struct SendWindow {
  typealias Token = DeliveryTable.Token

  private static let mostInFlight = 5
  /// Where so many messages wait there is no idle time to save, and the library may as well prepare them.
  private static let mostWaiting = 256

  private let isLimited: Bool
  private var unanswered = 0
  /// What went in this turn: all that comes in one turn goes together.
  private var fresh = 0
  private var waiting: [Token] = []
  private var waitingMessages = 0

  init(partitions: Int) { isLimited = partitions == 1 }

  /// Keeps a call for later, or returns false: it may go now, and so may those in ``takeWaiting()`` in front of it.
  mutating func wait(_ token: Token, messages: Int) -> Bool {
    guard isLimited, unanswered >= Self.mostInFlight, waitingMessages + messages < Self.mostWaiting else {
      return false
    }
    waiting.append(token)
    waitingMessages += messages
    return true
  }

  /// So many messages have gone. Returns whether they are the first since ``endTurn()``.
  mutating func sent(_ count: Int) -> Bool {
    defer { fresh += count }
    return fresh == 0 && count > 0
  }

  mutating func endTurn() {
    unanswered += fresh
    fresh = 0
  }

  /// So many messages are reported. Returns the calls that go on now, in their order.
  mutating func answered(_ count: Int) -> [Token] {
    unanswered -= count
    return unanswered < Self.mostInFlight ? takeWaiting() : []
  }

  mutating func takeWaiting() -> [Token] {
    if waiting.isEmpty { return [] }
    waitingMessages = 0
    defer { waiting.removeAll(keepingCapacity: true) }
    return waiting
  }
}
