//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A command as it goes over the wire: an array of strings, as Redis's documentation of its protocol (RESP) has it.
///
/// Written here, and not by hiredis, because it goes straight into what is to be sent, without an allocation of its own.
enum RedisCommand {
  private static let lineEnd: [UInt8] = [0x0D, 0x0A]
  private static let publish: [UInt8] = Array("*3\r\n$7\r\nPUBLISH\r\n".utf8)

  static func append(_ words: [String], to output: inout [UInt8]) {
    appendLength(words.count, mark: UInt8(ascii: "*"), to: &output)
    for word in words { append(Array(word.utf8), to: &output) }
  }

  static func appendPublish(_ payload: [UInt8], to channel: String, _ output: inout [UInt8]) {
    output.append(contentsOf: publish)
    let name = channel.utf8
    appendLength(name.count, mark: UInt8(ascii: "$"), to: &output)
    output.append(contentsOf: name)
    output.append(contentsOf: lineEnd)
    append(payload, to: &output)
  }

  static func append(_ word: String, _ name: [UInt8], to output: inout [UInt8]) {
    appendLength(2, mark: UInt8(ascii: "*"), to: &output)
    append(Array(word.utf8), to: &output)
    append(name, to: &output)
  }

  private static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
    appendLength(bytes.count, mark: UInt8(ascii: "$"), to: &output)
    output.append(contentsOf: bytes)
    output.append(contentsOf: lineEnd)
  }

  private static func appendLength(_ length: Int, mark: UInt8, to output: inout [UInt8]) {
    output.append(mark)
    var divisor = 1
    while length / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      output.append(UInt8(ascii: "0") + UInt8(length / divisor % 10))
      divisor /= 10
    }
    output.append(contentsOf: lineEnd)
  }
}
