//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// Messages of one channel that came together, encoded as the frames that every socket gets.
struct FrameBatch {
  /// Small enough that a socket which is up to date is never behind by more than its limit, and that the batches which
  /// wait for a full socket cost little; large enough that the system calls do not count.
  static let maximumMessages = 256
  static let maximumBytes = 64 * 1024

  private(set) var bytes: [UInt8] = []
  private(set) var messageCount = 0

  /// What a message takes at most: its payload and the longest header of a server's frame (RFC 6455 section 5.2).
  static func bytes(of message: Message) -> Int { message.payload.count + 10 }

  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  mutating func append(_ message: Message) {
    WebSocketFrame.append(message.kind == .text ? .text : .binary, message.payload, to: &bytes)
    messageCount += 1
  }
}
