//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How much a peer may send in one piece. What is over a limit is refused at its header, before it is kept in memory,
/// and closes the socket with 1009.
public struct WebSocketLimits: Sendable {
  /// The longest payload of one frame in bytes.
  public var frameBytes: Int

  /// The longest message in bytes, summed over its frames.
  public var messageBytes: Int

  /// - Parameter frameBytes: As long as a message when it is left out.
  public init(messageBytes: Int = 1024 * 1024, frameBytes: Int? = nil) {
    self.messageBytes = messageBytes
    self.frameBytes = frameBytes ?? messageBytes
  }
}
