//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingKafka

@Suite("Messages as records")
struct KafkaMessageTests {
  private static let messages: [Message] = [
    Message("", to: "c"), Message("hé", to: "c"), Message([0xff, 0], to: "c"), Message(Array("utf8".utf8), to: "c"),
    Message([], to: "c"), Message("a\0b", to: "c"), Message("\u{2}bc1r", to: "c"),
    Message("t", to: "c", headers: [.init("a", "1"), .init("a", [0xff]), .init("", [])]),
    Message(Array("bin".utf8), to: "c", headers: [.init("a", "1")]),
    Message("t", to: "c", headers: [.init("é \0", "1"), .init("b", "2")]),
  ]

  @Test("what goes in comes out", arguments: messages)
  func roundTrip(message: Message) {
    let (value, headers) = KafkaMessage.encode(message)
    #expect(headers.allSatisfy { !$0.name.utf8.contains(0) })
    #expect(KafkaMessage.decode(value, headers, channel: "c") == message)
  }

  @Test("text with headers is a record that any program reads")
  func plain() {
    let (value, headers) = KafkaMessage.encode(Message("hé", to: "c", headers: [.init("a", "1")]))
    #expect(value == Array("hé".utf8) && headers == [.init("a", "1")])
  }

  @Test("headers of the record stand before those of an envelope")
  func both() {
    let inner = Envelope.encode(Message("t", to: "c", headers: [.init("in", "1")]))
    let message = KafkaMessage.decode(inner, [.init("out", "2")], channel: "c")
    #expect(message.headers.map(\.name) == ["out", "in"] && message.text == "t")
  }
}
