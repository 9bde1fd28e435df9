//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// A message as JSON text that says whose it is: `{"event_name": CHANNEL, "data": …}`. A text that is JSON is `data` as it
/// came, other text is a string, and bytes are `{"base64": "…"}`.
enum NotificationFrame {
  /// What stands in front of each message of a channel.
  static func start(for channel: Channel) -> [UInt8] {
    var start = Array("{\"event_name\": ".utf8)
    JSONWriter.append(channel.name, to: &start)
    start.append(contentsOf: ", \"data\": ".utf8)
    return start
  }

  static func text(of message: Message, behind start: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(start.count + message.payload.count + message.payload.count / 8 + 20)
    text.append(contentsOf: start)
    switch message.kind {
    case .text:
      message.payload.withUnsafeBufferPointer { payload in
        if JSONScanner.isText(payload) {
          text.append(contentsOf: payload)
        } else {
          JSONWriter.append(payload, to: &text)
        }
      }
    case .binary:
      text.append(contentsOf: "{\"base64\": \"\(Base64.encode(message.payload))\"}".utf8)
    }
    text.append(.closeBrace)
    return text
  }

  /// A control character in a string takes six bytes.
  static func maximumBytes(of message: Message, behind start: [UInt8]) -> Int {
    start.count + 6 * message.payload.count + 20
  }
}
