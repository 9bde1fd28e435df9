//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How much of a message is taken before it is refused. What is over a limit is refused before it is kept in memory.
public struct HTTPLimits: Sendable {
  /// The longest request target in bytes, at most 1 GiB; a longer one is answered by 414.
  public var targetBytes: Int

  /// The most bytes of all header lines together, line ends included, at most 1 GiB; more are answered by 431.
  public var headerBytes: Int

  /// The most header fields; more are answered by 431.
  public var headerFields: Int

  /// The longest body in bytes; a longer one is answered by 413.
  public var bodyBytes: Int

  public init(
    targetBytes: Int = 8 * 1024, headerBytes: Int = 32 * 1024, headerFields: Int = 100, bodyBytes: Int = 1024 * 1024
  ) {
    self.targetBytes = targetBytes
    self.headerBytes = headerBytes
    self.headerFields = headerFields
    self.bodyBytes = bodyBytes
  }
}
