//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import broadcast

@Suite("How members are printed")
struct PresenceFormatTests {
  private func print(_ member: PresenceMember, _ event: String? = nil, as format: PresenceFormat) -> String {
    String(decoding: format.line(member, event), as: UTF8.self)
  }

  @Test("a line for each, which no name and no info can break")
  func text() {
    #expect(print(.init("ann"), as: .text) == "ann\n")
    #expect(print(.init("ann", info: "in fo"), "joined", as: .text) == "joined\tann\tin fo\n")
    #expect(print(.init("a\nb\u{1b}", info: "\r"), as: .text) == "a\\nb\\u001b\t\\r\n")
    #expect(print(.init("ann", info: [0, 255]), as: .text) == "ann\t(binary, 2 bytes)\n")
  }

  @Test("as JSON it has name and info, and what happened where that is told")
  func json() {
    #expect(print(.init("a\"n\n", info: "é"), as: .json) == #"{"name":"a\"n\n","info":"é"}"# + "\n")
    #expect(
      print(.init("ann", info: [0, 255, 16]), "left", as: .json)
        == #"{"event":"left","name":"ann","info":"AP8Q","encoding":"base64"}"# + "\n")
    #expect(print(.init("\u{9b}"), as: .terminalJSON) == #"{"name":"\u009b","info":""}"# + "\n")
  }

  @Test("what is told of nobody is refused")
  func info() {
    #expect(throws: UsageError.self) {
      try Invocation.parse(["presence", "redis://localhost", "room", "--info", "x"], environment: { _ in nil })
    }
  }
}
