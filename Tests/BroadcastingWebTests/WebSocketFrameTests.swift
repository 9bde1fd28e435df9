//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import BroadcastingWeb

@Suite("Writing frames")
struct WebSocketFrameTests {
  @Test("the examples of RFC 6455 section 5.7")
  func examples() {
    #expect(WebSocketFrame.encode(.text("Hello")) == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
    #expect(WebSocketFrame.encode(.text, Array("Hel".utf8), isFinal: false) == [0x01, 0x03, 0x48, 0x65, 0x6C])
    let long = WebSocketFrame.encode(.binary([UInt8](repeating: 0, count: 256)))
    #expect(Array(long.prefix(4)) == [0x82, 0x7E, 0x01, 0x00])
    let longer = WebSocketFrame.encode(.binary([UInt8](repeating: 0, count: 65536)))
    #expect(Array(longer.prefix(10)) == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0])
  }

  @Test("what one end writes the other reads", arguments: [0, 1, 125, 126, 65535, 65536])
  func roundTrip(_ count: Int) {
    let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(frameEvents([WebSocketFrame.encode(.binary(payload))], role: .client) == [.message(.binary(payload))])
    var generator = SeededGenerator(seed: UInt64(count))
    var masked: [UInt8] = []
    WebSocketFrame.appendMasked(.binary, payload, using: &generator, to: &masked)
    #expect(frameEvents([masked]) == [.message(.binary(payload))])
  }

  @Test("each masked frame has a key of its own")
  func keys() {
    var generator = SeededGenerator(seed: 1)
    var one: [UInt8] = []
    var two: [UInt8] = []
    WebSocketFrame.appendMasked(.text, [65], using: &generator, to: &one)
    WebSocketFrame.appendMasked(.text, [65], using: &generator, to: &two)
    #expect(one[2..<6] != two[2..<6])
  }

  @Test("a close frame's reason is cut between characters, and a code that may not be sent is left out")
  func close() {
    #expect(WebSocketFrame.closePayload(.missedMessages, "late") == [0x0F, 0xA0] + Array("late".utf8))
    let long = WebSocketFrame.closePayload(.normal, String(repeating: "€", count: 60))
    #expect(long == [0x03, 0xE8] + Array(String(repeating: "€", count: 41).utf8))
    #expect(WebSocketFrame.closePayload(nil, "x") == [])
    #expect(WebSocketFrame.closePayload(WebSocketCloseCode(rawValue: 1006), "x") == [])
  }
}
