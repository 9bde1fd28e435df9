//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Where a message stands in the log of a backend that has one.
///
/// Offsets of one channel grow as long as the epoch stays the same. A new epoch says that the log began anew, so that
/// offsets from before mean nothing any more.
public struct MessagePosition: Sendable, Hashable {
  public var epoch: UInt64
  public var offset: UInt64

  public init(epoch: UInt64, offset: UInt64) {
    self.epoch = epoch
    self.offset = offset
  }
}

/// What a backend says of a message that it has taken.
public struct Receipt: Sendable, Hashable {
  /// The message's place in the backend's log, or nil where the backend keeps none.
  public var position: MessagePosition?

  public init(position: MessagePosition? = nil) { self.position = position }
}
