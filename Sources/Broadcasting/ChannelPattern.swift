//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A pattern of channel names, for a subscription to all channels whose names match it, also to those that come later.
///
/// It is Redis's form of a glob: `*` is any bytes, `?` any one byte, `[abc]`, `[a-z]` and `[^a]` one byte of a set, and a
/// backslash takes the next byte as it is. See the command PSUBSCRIBE in Redis's documentation.
public struct ChannelPattern: Sendable, Hashable {
  /// The pattern as it was given.
  public let glob: String

  public init(_ glob: String) { self.glob = glob }
}

extension ChannelPattern: ExpressibleByStringLiteral {
  public init(stringLiteral glob: String) { self.init(glob) }
}

extension ChannelPattern: CustomStringConvertible {
  public var description: String { glob }
}
