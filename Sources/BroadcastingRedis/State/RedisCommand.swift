//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// A command as it goes over the wire: an array of strings, as Redis's documentation of its protocol (RESP) has it.
///
/// Written here, and not by hiredis, because it goes straight into what is to be sent, without an allocation of its own.
enum RedisCommand {
  static func append(_ words: [String], to output: inout [UInt8]) {
    appendLine("*", words.count, to: &output)
    for word in words { append(Array(word.utf8), to: &output) }
  }

  static func append(_ words: [[UInt8]], to output: inout [UInt8]) {
    appendLine("*", words.count, to: &output)
    for word in words { append(word, to: &output) }
  }

  static func append(_ word: String, _ name: [UInt8], to output: inout [UInt8]) {
    appendLine("*", 2, to: &output)
    append(Array(word.utf8), to: &output)
    append(name, to: &output)
  }

  static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
    appendLine("$", bytes.count, to: &output)
    output.append(contentsOf: bytes)
    appendLineEnd(to: &output)
  }

  static func appendLine(_ mark: Unicode.Scalar, _ length: Int, to output: inout [UInt8]) {
    output.append(UInt8(ascii: mark))
    output.append(contentsOf: String(length).utf8)
    appendLineEnd(to: &output)
  }

  static func appendLineEnd(to output: inout [UInt8]) {
    output.append(0x0D)
    output.append(0x0A)
  }
}

/// PUBLISH, of which there are many: what stands before the payload is kept, for the next one of the same channel and length.
struct PublishCommand {
  private var channel = Channel("")
  private var payloadBytes = -1
  private var head: [UInt8] = []
  private var headWithoutLength = 0

  mutating func append(_ payload: [UInt8], to channel: Channel, _ output: inout [UInt8]) {
    if channel != self.channel || payloadBytes < 0 {
      head.removeAll(keepingCapacity: true)
      RedisCommand.append("PUBLISH", Array(channel.name.utf8), to: &head)
      // There are three words in all.
      head[1] = UInt8(ascii: "3")
      headWithoutLength = head.count
      self.channel = channel
      payloadBytes = -1
    }
    if payload.count != payloadBytes {
      head.removeLast(head.count - headWithoutLength)
      RedisCommand.appendLine("$", payload.count, to: &head)
      payloadBytes = payload.count
    }
    output.append(contentsOf: head)
    output.append(contentsOf: payload)
    RedisCommand.appendLineEnd(to: &output)
  }
}
