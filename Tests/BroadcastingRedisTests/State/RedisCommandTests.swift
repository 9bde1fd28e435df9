//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingRedis

@Suite("Commands on the wire")
struct RedisCommandTests {
  private func text(_ write: (inout [UInt8]) -> Void) -> String {
    var output: [UInt8] = []
    write(&output)
    return String(decoding: output, as: UTF8.self)
  }

  @Test("a command is an array of strings with their lengths in bytes")
  func words() {
    #expect(
      text { RedisCommand.append(["AUTH", "é", ""], to: &$0) } == "*3\r\n$4\r\nAUTH\r\n$2\r\né\r\n$0\r\n\r\n")
    #expect(
      text { RedisCommand.append("SUBSCRIBE", Array("a\r\nb".utf8), to: &$0) }
        == "*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\na\r\nb\r\n")
  }

  @Test("PUBLISH changes with its channel and its length, and not with what came before")
  func publish() {
    var command = PublishCommand()
    let long = String(repeating: "x", count: 1234)
    for (payload, channel) in [
      ("hello", "a"), ("", "a"), ("world", "a"), (long, "a"), ("hello", "é"), ("hi", "e\u{301}"),
    ] {
      let written = text { command.append(Array(payload.utf8), to: Channel(channel), &$0) }
      #expect(
        written
          == "*3\r\n$7\r\nPUBLISH\r\n$\(channel.utf8.count)\r\n\(channel)\r\n$\(payload.utf8.count)\r\n\(payload)\r\n")
    }
  }

  @Test("two channels that a string takes for one are two")
  func normalization() {
    var command = PublishCommand()
    var output: [UInt8] = []
    command.append([1], to: "\u{1E9B}\u{323}", &output)
    output = []
    // The same text to a string, and as long.
    command.append([1], to: "\u{1E9B}\u{323}\u{301}", &output)
    #expect(output.count == Array("*3\r\n$7\r\nPUBLISH\r\n$7\r\n1234567\r\n$1\r\n1\r\n".utf8).count)
  }
}
