//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The name of a stream of messages.
///
/// A channel is the bytes of its name in UTF-8. Two names are the same channel only when their bytes are the same:
/// "é" as one scalar and "é" as "e" with a combining accent are two channels, although `String` takes them for equal.
/// Brokers compare bytes too, so this is the only rule that means the same everywhere.
///
/// Making a channel never fails. ``validate()`` checks the rules, and publishing and subscribing call it.
public struct Channel: Sendable {
  /// The most bytes that a name may have.
  public static let maximumBytes = 255

  /// Names that begin with this are kept for the probes by which a backend checks its own connection.
  public static let reservedPrefix = "__broadcast."

  /// The name as it was given.
  public let name: String

  /// Makes a channel of that name.
  public init(_ name: String) {
    var name = name
    name.makeContiguousUTF8()
    self.name = name
  }

  /// Makes a channel of a name's bytes, or nothing when they are not UTF-8.
  public init?(utf8 bytes: some Sequence<UInt8>) {
    guard let name = String(validating: bytes, as: UTF8.self) else { return nil }
    self.init(name)
  }

  var isReserved: Bool { name.utf8.starts(with: Self.reservedPrefix.utf8) }

  /// Checks the rules which every backend keeps: 1 to 255 bytes, no NUL, not the reserved prefix.
  ///
  /// - Throws: ``BroadcastError/Code/invalidChannel``; the message names the rule.
  public func validate() throws(BroadcastError) {
    let count = name.utf8.count
    if count == 0 { throw .invalidChannel("A channel's name cannot be empty.") }
    if count > Self.maximumBytes {
      throw .invalidChannel("A channel's name is \(count) bytes of UTF-8; at most \(Self.maximumBytes) are allowed.")
    }
    if name.utf8.contains(0) { throw .invalidChannel("A channel's name cannot hold the character NUL (U+0000).") }
    if isReserved {
      throw .invalidChannel("Names that begin with \"\(Self.reservedPrefix)\" are reserved for connection probes.")
    }
  }
}

extension Channel: Hashable {
  public static func == (left: Channel, right: Channel) -> Bool { left.name.hasSameBytes(as: right.name) }

  public func hash(into hasher: inout Hasher) { name.hashBytes(into: &hasher) }
}

extension Channel: ExpressibleByStringLiteral {
  public init(stringLiteral name: String) { self.init(name) }
}

extension Channel: CustomStringConvertible {
  public var description: String { name }
}
