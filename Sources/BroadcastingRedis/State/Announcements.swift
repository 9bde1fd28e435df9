//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Positions that were announced, each for the message that follows it.
///
/// One script announces and publishes, and on one connection nothing comes between the two but copies for patterns. So there
/// is at most one announcement whose message has not come. Messages of programs without histories have none, and are told
/// from others by that.
struct Announcements {
  /// What the names of all channels begin with on which positions are announced.
  static let prefix = Channel.reservedPrefix + KeptChannel.announcing + "."

  /// The channels that are listened to, by the names of their announcements.
  private var channels: [[UInt8]: [UInt8]] = [:]
  // The last announcement: mostly the next one is of the same channel.
  private var name: [UInt8] = []
  private var channel: [UInt8] = []
  private var pending: (position: MessagePosition, bytes: Int)?

  var isEmpty: Bool { channels.isEmpty }

  mutating func listen(to kept: KeptChannel) { channels[kept.announcements] = Array(kept.channel.name.utf8) }

  mutating func forget(_ kept: KeptChannel) {
    channels[kept.announcements] = nil
    if name == kept.announcements { (name, channel, pending) = ([], [], nil) }
  }

  /// The server has confirmed a channel. What was announced before that is of a message which does not come here.
  mutating func confirmed(_ channel: [UInt8]) { if channel == self.channel { pending = nil } }

  /// A message came on a channel of announcements.
  mutating func announced(_ text: UnsafeRawBufferPointer, on name: UnsafeRawBufferPointer) {
    if !name.isSame(as: self.name) {
      guard let channel = channels[Array(name)] else { return }
      self.name = Array(name)
      self.channel = channel
    }
    // A dash says that the announced message does not come: the server refused it.
    pending = Self.parse(text)
  }

  /// The position of a message of so many bytes that came on a channel.
  mutating func takePosition(on channel: UnsafeRawBufferPointer, bytes: Int) -> MessagePosition? {
    guard let pending, pending.bytes == bytes, channel.isSame(as: self.channel) else { return nil }
    self.pending = nil
    return pending.position
  }

  /// Reads `EPOCH-OFFSET SIZE`.
  private static func parse(_ text: UnsafeRawBufferPointer) -> (MessagePosition, Int)? {
    guard let space = text.firstIndex(of: UInt8(ascii: " ")),
      let position = MessagePosition(bytes: UnsafeRawBufferPointer(rebasing: text[..<space])),
      let bytes = text[(space + 1)...].decimalNumber.flatMap({ Int(exactly: $0) })
    else { return nil }
    return (position, bytes)
  }
}
