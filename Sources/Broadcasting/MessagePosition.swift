//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A message's place in the log of its channel.
///
/// Offsets count up by one within an epoch. When a log begins anew (deleted, recreated, a failover that lost its tail), its
/// epoch changes, and offsets of the old one mean nothing.
///
/// The text form is `EPOCH-OFFSET`, two decimal numbers. Keep that, also in a browser.
public struct MessagePosition: Sendable, Hashable {
  public var epoch: UInt64
  public var offset: UInt64

  public init(epoch: UInt64, offset: UInt64) {
    self.epoch = epoch
    self.offset = offset
  }

  /// `0-0`: in front of all messages of a channel, whichever epoch they are of.
  public static let beginning = MessagePosition(epoch: 0, offset: 0)

  /// The next one in the same epoch.
  package var next: MessagePosition { MessagePosition(epoch: epoch, offset: offset &+ 1) }
}

extension MessagePosition: LosslessStringConvertible {
  public var description: String { "\(epoch)-\(offset)" }

  /// Reads the text form. Nil where it is another text: each number has digits alone, no zero in front of others, and fits
  /// 64 bits.
  public init?(_ description: String) {
    let parts = description.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 2, let epoch = Self.number(parts[0]), let offset = Self.number(parts[1]) else { return nil }
    self.init(epoch: epoch, offset: offset)
  }

  private static func number(_ digits: Substring.UTF8View) -> UInt64? {
    guard digits.first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
    guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return UInt64(Substring(digits))
  }
}

/// What `publish` returns when the backend has the message.
public struct Receipt: Sendable, Hashable {
  /// The message's place in the backend's log, or nil where the backend keeps none.
  public var position: MessagePosition?

  public init(position: MessagePosition? = nil) { self.position = position }
}
