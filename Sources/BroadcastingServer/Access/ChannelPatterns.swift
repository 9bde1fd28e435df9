//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Which channels clients may name: any, or those that one of some patterns takes.
///
/// In a pattern `*` stands for any bytes, none too; all else stands for itself. A name is its UTF-8 bytes, so that two
/// spellings of one character are two names.
public struct ChannelPatterns: Hashable, Sendable {
  /// How many patterns there may be.
  public static let maxCount = 1_000
  /// How many bytes of UTF-8 a pattern may have: as many as a channel's name.
  public static let maxLength = 255

  private let patterns: [[UInt8]]

  /// Takes every channel.
  public static let all = ChannelPatterns(patterns: [])

  private init(patterns: [[UInt8]]) { self.patterns = patterns }

  /// - Parameter patterns: such as `events` or `chat.*`; none for every channel.
  public init(_ patterns: [String]) throws(ChannelPatternsError) {
    guard patterns.count <= Self.maxCount else {
      throw ChannelPatternsError(
        code: .tooMany, message: "\(patterns.count) patterns of channels; \(Self.maxCount) are allowed")
    }
    for pattern in patterns where !(1...Self.maxLength).contains(pattern.utf8.count) || pattern.utf8.contains(0) {
      throw ChannelPatternsError(
        code: .invalidPattern,
        message: "\"\(pattern)\" is no pattern of channels: 1 to \(Self.maxLength) bytes of UTF-8, none of them NUL")
    }
    self.patterns = patterns.map { Array($0.utf8) }
  }

  /// Whether clients may name `channel`.
  package func allows(_ channel: some Collection<UInt8>) -> Bool {
    patterns.isEmpty || patterns.contains { Self.matches($0, channel) }
  }

  /// Goes through both from left to right. After a mismatch the last `*` takes one byte more; stars before it need no
  /// second try, since whatever they took, the rest could only begin later. So the time is at most the product of both
  /// lengths.
  private static func matches<Name: Collection<UInt8>>(_ pattern: [UInt8], _ name: Name) -> Bool {
    var inPattern = 0
    var inName = name.startIndex
    var lastStar: (behind: Int, taken: Name.Index)?
    while inName < name.endIndex {
      if inPattern < pattern.count, pattern[inPattern] == UInt8(ascii: "*") {
        inPattern += 1
        lastStar = (inPattern, inName)
      } else if inPattern < pattern.count, pattern[inPattern] == name[inName] {
        inPattern += 1
        name.formIndex(after: &inName)
      } else if let star = lastStar {
        inPattern = star.behind
        inName = name.index(after: star.taken)
        lastStar = (star.behind, inName)
      } else {
        return false
      }
    }
    return pattern[inPattern...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}

/// A pattern that is none: a mistake in the configuration.
public struct ChannelPatternsError: Error, Hashable, Sendable, CustomStringConvertible {
  public struct Code: Hashable, Sendable {
    private enum Name { case invalidPattern, tooMany }
    private let name: Name

    public static let invalidPattern = Code(name: .invalidPattern)
    public static let tooMany = Code(name: .tooMany)
  }

  public let code: Code
  /// What is wrong and what is allowed.
  public let message: String

  public var description: String { message }
}
