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
  /// Of the last message that has one.
  private(set) var position: MessagePosition?
  private let encoding: FrameEncoding
  /// A header line and the payload behind it. Kept, so that it is not allocated for each message.
  private var positioned: [UInt8] = []

  init(_ encoding: FrameEncoding, capacity: Int) {
    self.encoding = encoding
    bytes.reserveCapacity(capacity)
  }

  mutating func append(_ message: Message) {
    let opcode: WebSocketOpcode = message.kind == .text ? .text : .binary
    switch encoding {
    case .raw: WebSocketFrame.append(opcode, message.payload, to: &bytes)
    case .positioned(let channel, let hasHistory):
      positioned.removeAll(keepingCapacity: true)
      PositionedFrame.appendHeader(of: hasHistory ? message.position : nil, on: channel, to: &positioned)
      positioned.append(contentsOf: message.payload)
      WebSocketFrame.append(opcode, positioned, to: &bytes)
    case .notification(let start):
      WebSocketFrame.append(.text, NotificationFrame.text(of: message, behind: start), to: &bytes)
    }
    messageCount += 1
    if let position = message.position { self.position = position }
  }
}

/// What the frames of a socket have to say of a message.
enum FrameForm: Hashable, Sendable {
  /// The message alone.
  case raw
  /// A line in front of it that says where it stands.
  case positioned
  /// Text that says whose it is, for a socket on which other things come too.
  case notification
}

/// How the messages of a channel become frames.
enum FrameEncoding: Sendable {
  /// The payload alone.
  case raw
  /// A line in front of it, see ``PositionedFrame``.
  ///
  /// - Parameters:
  ///   - channel: Percent-encoded.
  ///   - hasHistory: Without one a position, which some brokers have all the same, is nothing to come back by.
  case positioned(channel: [UInt8], hasHistory: Bool)

  /// See ``NotificationFrame``.
  ///
  /// - Parameter start: What stands in front of the message.
  case notification(start: [UInt8])

  init(_ channel: Channel, _ form: FrameForm, hasHistory: Bool) {
    switch form {
    case .raw: self = .raw
    case .positioned:
      self = .positioned(channel: Array(PercentEncoding.encode(channel.name).utf8), hasHistory: hasHistory)
    case .notification: self = .notification(start: NotificationFrame.start(for: channel))
    }
  }

  /// What a message takes unless most of it has to be escaped: so much room is made for it.
  func usualBytes(of message: Message) -> Int {
    guard case .notification(let start) = self else { return bytes(of: message) }
    return 30 + start.count + message.payload.count
  }

  /// What a message takes at most: its payload, the longest header of a server's frame (RFC 6455 section 5.2), and the line.
  func bytes(of message: Message) -> Int {
    switch self {
    case .raw: message.payload.count + 10
    case .positioned(let channel, _): message.payload.count + 10 + channel.count + PositionedFrame.maximumHeaderBytes
    case .notification(let start): 10 + NotificationFrame.maximumBytes(of: message, behind: start)
    }
  }
}
