//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// A message as the value and the headers of a record.
///
/// Headers are the record's own, and the value is the payload, in an envelope only where text and binary would be mixed up.
enum KafkaMessage {
  /// librdkafka gives the name of a header as a C string, which a NUL ends: then all headers go in the envelope.
  static func encode(_ message: Message) -> (value: [UInt8], headers: [Message.Header]) {
    let headers = message.headers
    if headers.isEmpty || headers.contains(where: { $0.name.utf8.contains(0) }) {
      return (Envelope.encode(message), [])
    }
    let bare: Message
    if message.kind == .text {
      bare = Message(validUTF8: message.payload, to: message.channel)
    } else {
      bare = Message(message.payload, to: message.channel)
    }
    return (Envelope.encode(bare), headers)
  }

  /// Never fails: what is no envelope is a plain payload. The record's headers stand before the envelope's.
  static func decode(_ value: [UInt8], _ headers: [Message.Header], channel: Channel) -> Message {
    let message = Envelope.decode(value, channel: channel)
    if headers.isEmpty { return message }
    let all = headers + message.headers
    if message.kind == .text { return Message(validUTF8: message.payload, to: channel, headers: all) }
    return Message(message.payload, to: channel, headers: all)
  }
}
