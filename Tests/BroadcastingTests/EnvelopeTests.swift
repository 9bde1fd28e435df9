//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

@Suite("Envelope")
struct EnvelopeTests {
  private static let start: [UInt8] = [0x02, 0x62, 0x63]

  private static let messages: [Message] = [
    Message("", to: "a"), Message("plain", to: "a"), Message("caf\u{E9} \u{1F600}", to: "a"), Message("a\0b", to: "a"),
    Message([], to: "a"), Message([0xFF, 0x00, 0xC0], to: "a"), Message(Array("valid UTF-8".utf8), to: "a"),
    Message("x", to: "a", headers: [.init("k", "v"), .init("k", [0, 255]), .init("", [])]),
    Message([0xFF], to: "a", headers: [.init("\0", [0])]),
    Message("\u{2}bc", to: "a"), Message("\u{2}bc1rt\0x", to: "a"), Message([0x02, 0x62, 0x63, 0xFF], to: "a"),
    Message(
      String(repeating: "x", count: 100_000), to: "a", headers: [.init("long", String(repeating: "y", count: 300))]),
  ]

  @Test("every message comes back as it was, on every wire", arguments: messages, [Envelope.Wire.bytes, .text])
  func roundTrip(message: Message, wire: Envelope.Wire) {
    let bytes = Envelope.encode(message, for: wire)
    #expect(Envelope.decode(bytes, channel: "a") == message)
    if wire == .text { #expect(String(validating: bytes, as: UTF8.self) != nil && !bytes.contains(0)) }
  }

  @Test("text without headers is exactly its bytes, and so are bytes that are no text")
  func plain() {
    #expect(Envelope.encode(Message("hello", to: "a")) == Array("hello".utf8))
    #expect(Envelope.encode(Message("hello", to: "a"), for: .text) == Array("hello".utf8))
    #expect(Envelope.encode(Message([0xFF, 0], to: "a")) == [0xFF, 0])
    #expect(Envelope.decode(Array("{\"a\":1}".utf8), channel: "a") == Message("{\"a\":1}", to: "a"))
  }

  @Test("on a wire for text NUL is found wherever it is", arguments: 0..<40)
  func zero(place: Int) {
    // Bytes beside it that a borrow could be mistaken for.
    for other in ["\u{1}", "\u{7F}", "\u{80}", "x"] {
      let text = String(repeating: other, count: place) + "\0" + String(repeating: other, count: 39 - place)
      #expect(!Envelope.encode(Message(text, to: "a"), for: .text).contains(0))
      let without = String(repeating: other, count: place)
      #expect(Envelope.encode(Message(without, to: "a"), for: .text) == Array(without.utf8))
    }
  }

  @Test("the bytes of version 1 are those that are documented")
  func format() {
    let message = Message("hi", to: "a", headers: [.init("k", [9])])
    let body: [UInt8] = [0x74, 1, 1, 0x6B, 1, 9, 0x68, 0x69]
    #expect(Envelope.encode(message) == Self.start + [0x31, 0x72] + body)
    #expect(Envelope.encode(message, for: .text) == Self.start + [0x31, 0x62] + Array("dAEBawEJaGk=".utf8))
  }

  @Test(
    "what begins like an envelope and is none arrives as it is",
    arguments: [
      [], [0x31], [0x31, 0x72], [0x32, 0x72, 0x74, 0], [0x31, 0x78, 0x74, 0], [0x31, 0x72, 0x78, 0],
      [0x31, 0x72, 0x74],
      [0x31, 0x72, 0x74, 1], [0x31, 0x72, 0x74, 0x80, 0x00], [0x31, 0x72, 0x74, 1, 5, 1],
      [0x31, 0x72, 0x74, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x31, 0x72, 0x74, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
      [0x31, 0x72, 0x74, 0, 0xFF], [0x31, 0x72, 0x74, 1, 1, 0xFF, 0], Array("1bdA=".utf8), Array("1bdA".utf8),
      Array("1bdAA!".utf8), Array("1bdAB=".utf8), Array("1b====".utf8),
    ] as [[UInt8]])
  func lookalikes(rest: [UInt8]) {
    let bytes = Self.start + rest
    let message = Envelope.decode(bytes, channel: "a")
    #expect(message.payload == bytes && message.headers.isEmpty)
    #expect((message.kind == .text) == (String(validating: bytes, as: UTF8.self) != nil))
    #expect(Envelope.decode(Envelope.encode(message), channel: "a") == message)
  }

  @Test("at random, messages come back, and no bytes break it", arguments: 0..<20)
  func fuzz(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    func bytes(_ most: Int) -> [UInt8] {
      (0..<Int.random(in: 0...most, using: &random)).map { _ in .random(in: 0...255, using: &random) }
    }
    for _ in 0..<500 {
      let headers = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        Message.Header(String(decoding: bytes(6), as: UTF8.self), bytes(6))
      }
      let message =
        Bool.random(using: &random)
        ? Message(bytes(40), to: "a", headers: headers)
        : Message(String(decoding: bytes(40), as: UTF8.self), to: "a", headers: headers)
      for wire in [Envelope.Wire.bytes, .text] {
        var encoded = Envelope.encode(message, for: wire)
        #expect(Envelope.decode(encoded, channel: "a") == message)
        for _ in 0..<5 where !encoded.isEmpty {
          encoded[Int.random(in: 0..<encoded.count, using: &random)] = .random(in: 0...255, using: &random)
          encoded.removeLast(.random(in: 0...1, using: &random))
          let mutated = Envelope.decode(Self.start + encoded, channel: "a")
          #expect(Envelope.decode(Envelope.encode(mutated, for: wire), channel: "a") == mutated)
          if encoded.isEmpty { break }
        }
      }
    }
  }

  @Test("Base64 keeps RFC 4648, section 10")
  func base64() {
    let vectors = [
      "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy",
    ]
    for (plain, coded) in vectors {
      #expect(Base64.encode(Array(plain.utf8)) == Array(coded.utf8))
      #expect(Base64.decode(Array(coded.utf8)[...]) == Array(plain.utf8))
    }
    for wrong in ["Zg=", "Zg", "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "Zm9v\n"] {
      #expect(Base64.decode(Array(wrong.utf8)[...]) == nil)
    }
  }
}
