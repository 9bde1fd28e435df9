//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A point in a log, as what has been appended before it since the log began.
package struct LogPosition: Sendable, Hashable {
  package var messages = 0
  package var bytes = 0
  /// Marks for losses that nobody could count: a lost connection, for one.
  package var marks = 0

  package mutating func advance(over element: borrowing some LogElement) {
    if element.isLossMark { marks += 1 } else { messages += element.messageCount }
    bytes += element.bufferedBytes
  }
}

/// A reader's place in a log. Only its own log gives it a meaning, and gets it back in the end.
package struct LogCursor: Sendable {
  var segment: Int
  var offset: Int
  /// What lies behind the reader.
  var position: LogPosition
}

/// What can stand in a ``SegmentLog``.
package protocol LogElement: Sendable {
  /// The bytes that it counts for in limits.
  var bufferedBytes: Int { get }
  /// How many messages it is.
  var messageCount: Int { get }
  /// Whether it is no message but stands for an unknown number of lost ones.
  var isLossMark: Bool { get }
}

extension LogElement {
  package var messageCount: Int { 1 }
  package var isLossMark: Bool { false }
}

/// How far a cursor may be behind the end of its log.
package struct LogLimits: Sendable, Hashable {
  package var maximumMessages: Int
  package var maximumBytes: Int

  package init(maximumMessages: Int, maximumBytes: Int) {
    self.maximumMessages = maximumMessages
    self.maximumBytes = maximumBytes
  }

  package func allow(from start: LogPosition, to end: LogPosition) -> Bool {
    end.messages - start.messages <= maximumMessages && end.bytes - start.bytes <= maximumBytes
  }

  package mutating func widen(to other: LogLimits) {
    maximumMessages = max(maximumMessages, other.maximumMessages)
    maximumBytes = max(maximumBytes, other.maximumBytes)
  }
}

extension Delivery: LogElement {
  package var bufferedBytes: Int {
    switch self {
    case .message(let message): message.bufferedBytes
    case .gap: 64
    }
  }

  package var isLossMark: Bool {
    switch self {
    case .message: false
    case .gap: true
    }
  }
}
