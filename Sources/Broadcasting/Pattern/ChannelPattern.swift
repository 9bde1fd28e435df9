//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A pattern of channel names, for a subscription to all channels whose names match it, also to those that come later.
///
/// It is Redis's form of a glob (the command PSUBSCRIBE in Redis's documentation), and means the same on every backend
/// that has patterns:
/// - `*` is any bytes, also none, and `?` any one byte.
/// - `[abc]`, `[a-z]` and `[^a]` are one byte of a set, or one that is not in it. A set that is not closed ends with the
///   pattern.
/// - A backslash takes the next byte as it is, also within a set.
///
/// It counts bytes of UTF-8, as Redis does: "é" is two of them, so `?` does not match it and `??` does. In sets use ASCII
/// alone.
///
/// Making a pattern never fails. ``validate()`` checks the rules, and subscribing calls it. A literal makes a
/// ``Channel`` and never a pattern, so that nobody subscribes to many where one was meant.
public struct ChannelPattern: Sendable {
  /// The most bytes that a pattern may have.
  public static let maximumBytes = 255

  /// The pattern as it was given.
  public let glob: String

  private let compiled: Glob

  public init(_ glob: String) {
    var glob = glob
    glob.makeContiguousUTF8()
    self.glob = glob
    compiled = Glob(glob.utf8)
  }

  /// Whether a subscription to this pattern gets what is published to a channel.
  ///
  /// Names with ``Channel/reservedPrefix`` match no pattern. It takes at most as many steps as the product of both
  /// lengths, whatever the pattern.
  public func matches(_ channel: Channel) -> Bool {
    guard !channel.isReserved else { return false }
    var name = channel.name
    return name.withUTF8 { compiled.matches($0) }
  }

  /// Checks the rules which every backend keeps: 1 to 255 bytes, no NUL.
  ///
  /// - Throws: ``BroadcastError/Code/invalidPattern``; the message names the rule.
  public func validate() throws(BroadcastError) {
    let count = glob.utf8.count
    if count == 0 { throw .invalidPattern("A pattern cannot be empty; * is all channels.") }
    if count > Self.maximumBytes {
      throw .invalidPattern("A pattern is \(count) bytes of UTF-8; at most \(Self.maximumBytes) are allowed.")
    }
    if glob.utf8.contains(0) { throw .invalidPattern("A pattern cannot hold the character NUL (U+0000).") }
  }
}

extension ChannelPattern: Hashable {
  public static func == (left: ChannelPattern, right: ChannelPattern) -> Bool {
    left.glob.utf8.elementsEqual(right.glob.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    var glob = glob
    glob.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(UInt8.max)
  }
}

extension ChannelPattern: CustomStringConvertible {
  public var description: String { glob }
}
