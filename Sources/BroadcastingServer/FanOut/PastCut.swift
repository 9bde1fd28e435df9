//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Which messages of a history are the past of a socket: those behind its start, up to where its feed begins. All behind
/// that come through the feed.
///
/// It knows no broker and no frames: it is given the positions in the order of the history.
struct PastCut: Sendable {
  private let start: SubscriptionStart
  /// The last message before the first that the feed gives.
  private let through: MessagePosition
  /// The last message that was given, or behind which the socket begins. Nil for the newest ones, while there is none.
  private(set) var last: MessagePosition?
  private var isContiguous = true
  /// Whether a message that the feed gives was seen, so that nothing more belongs to the past.
  private(set) var isAtEnd: Bool

  init(_ start: SubscriptionStart, through: MessagePosition) {
    self.start = start
    self.through = through
    switch start.value {
    case .live: last = through
    case .last: last = nil
    case .after(let position): last = position
    }
    isAtEnd = last == through || start == .last(0)
  }

  /// Whether the start says a position of this channel that the feed has not reached yet: the client was told it by another
  /// server, or it is none.
  var isAhead: Bool {
    guard case .after(let position) = start.value else { return false }
    return position.epoch == through.epoch && position.offset > through.offset
  }

  /// Takes the next message of the history. False where it is not of the past, or was given already.
  mutating func take(_ position: MessagePosition) -> Bool {
    // Epochs grow, where a history holds several of them.
    guard position <= through else {
      isAtEnd = true
      return false
    }
    if let last {
      guard position != last else { return false }
      isContiguous = isContiguous && (position == last.next || last == .beginning && position.offset == 1)
    }
    last = position
    isAtEnd = position == through
    return true
  }

  /// Whether a history with this head may still lack a part of the past, because it is asked where the newest messages have
  /// not come to yet.
  func isBehind(_ head: MessagePosition?) -> Bool { !isAtEnd && (head ?? .beginning) < through }

  /// Whether nothing is missing of what was asked for, once the history has given all that it has.
  ///
  /// For the newest messages fewer are no fault, but a hole is.
  var isComplete: Bool {
    switch start.value {
    case .live: true
    case .last: isContiguous && (last == nil || last == through)
    case .after: isContiguous && last == through
    }
  }
}

extension MessagePosition {
  fileprivate static func < (one: MessagePosition, other: MessagePosition) -> Bool {
    (one.epoch, one.offset) < (other.epoch, other.offset)
  }

  fileprivate static func <= (one: MessagePosition, other: MessagePosition) -> Bool {
    (one.epoch, one.offset) <= (other.epoch, other.offset)
  }
}
