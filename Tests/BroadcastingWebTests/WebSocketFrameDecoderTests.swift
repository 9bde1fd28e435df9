//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import BroadcastingWeb

@Suite("Reading frames")
struct WebSocketFrameDecoderTests {
  @Test("messages, fragments and control frames between them, however they are cut")
  func cuts() {
    // The text's characters are cut between its fragments.
    let euro = Array("€".utf8)
    let bytes =
      clientFrame(1, "Hällo 🙂") + clientFrame(9, "p") + clientFrame(2, [0, 255], isFinal: false)
      + clientFrame(10, "q") + clientFrame(0, [], isFinal: false) + clientFrame(0, [7])
      + clientFrame(1, [euro[0]], isFinal: false) + clientFrame(0, [euro[1]], isFinal: false)
      + clientFrame(0, [euro[2]]) + clientFrame(1) + clientFrame(2)
      + clientFrame(2, [UInt8](repeating: 7, count: 126)) + clientFrame(8, [0x03, 0xE8] + Array("bye".utf8))
      + clientFrame(1, "behind the close")
    let expected: [WebSocketFrameDecoder.Event] = [
      .message(.text("Hällo 🙂")), .ping([0x70]), .pong([0x71]), .message(.binary([0, 255, 7])), .message(.text("€")),
      .message(.text("")), .message(.binary([])), .message(.binary([UInt8](repeating: 7, count: 126))),
      .close(.normal, reason: "bye"),
    ]
    #expect(frameEvents([bytes]) == expected)
    #expect(frameEvents(Pieces.byteByByte(bytes)) == expected)
    for halves in Pieces.halves(bytes) where frameEvents(halves) != expected {
      Issue.record("cut at \(halves[0].count)")
    }
  }

  @Test("every form of length is read", arguments: [0, 1, 125, 126, 127, 65535, 65536, 70000])
  func lengths(_ count: Int) {
    let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    #expect(frameEvents([clientFrame(2, payload)]) == [.message(.binary(payload))])
  }

  static let faults: [([UInt8], UInt16)] = [
    (clientFrame(1, "a").enumerated().map { $0 == 1 ? $1 & 0x7F : $1 }, 1002),  // no mask
    (clientFrame(1, Array("a".utf8), reserved: 0x40), 1002),
    (clientFrame(1, Array("a".utf8), reserved: 0x20), 1002),
    (clientFrame(9, [], reserved: 0x10), 1002),
    (clientFrame(3), 1002), (clientFrame(7), 1002), (clientFrame(11), 1002), (clientFrame(15), 1002),
    (clientFrame(0, "a"), 1002),  // nothing to continue
    (clientFrame(0, "a", isFinal: false), 1002),
    (clientFrame(1, "a", isFinal: false) + clientFrame(1, "b"), 1002),  // a message inside of another
    (clientFrame(1, "a", isFinal: false) + clientFrame(2, "b"), 1002),
    (clientFrame(1, "a") + clientFrame(0, "b"), 1002),
    (clientFrame(9, "a", isFinal: false), 1002), (clientFrame(8, [], isFinal: false), 1002),
    (clientFrame(9, [UInt8](repeating: 0, count: 126)), 1002),
    ([0x82, 0x80 | 126, 0, 125, 0, 0, 0, 0], 1002),  // not the shortest form
    ([0x82, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0], 1002),
    ([0x82, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002),  // the top bit
    ([0x82, 0x80 | 127, 0x7F, 255, 255, 255, 255, 255, 255, 255], 1009),
    (clientFrame(8, [3]), 1002),  // half a code
    (clientFrame(8, [0x03, 0xE7]), 1002), (clientFrame(8, [0x03, 0xED]), 1002),  // 999, 1005
    (clientFrame(8, [0x03, 0xEE]), 1002), (clientFrame(8, [0x03, 0xF7]), 1002),  // 1006, 1015
    (clientFrame(8, [0x03, 0xEC]), 1002), (clientFrame(8, [0x03, 0xF8]), 1002),  // 1004, 1016
    (clientFrame(8, [0x07, 0xD0]), 1002), (clientFrame(8, [0x13, 0x88]), 1002),  // 2000, 5000
    (clientFrame(8, [0x03, 0xE8, 0xFF]), 1007),
    (clientFrame(1, [0xFF]), 1007), (clientFrame(1, [0xC3]), 1007),
    (clientFrame(1, [0xED, 0xA0, 0x80]), 1007),
    (clientFrame(1, [0xC3], isFinal: false) + clientFrame(0, [0x41]), 1007),
    (clientFrame(1, [0xC3], isFinal: false) + clientFrame(0, []), 1007),
  ]

  @Test("what breaks a rule fails with its code, however it is cut", arguments: faults)
  func fault(_ bytes: [UInt8], _ code: UInt16) {
    let whole = frameEvents([bytes + clientFrame(1, "behind")])
    #expect(failureCode(whole) == code)
    #expect(frameEvents(Pieces.byteByByte(bytes)) == whole)
    for halves in Pieces.halves(bytes) where frameEvents(halves) != whole {
      Issue.record("cut at \(halves[0].count)")
    }
  }

  @Test("every close code that may be sent is read", arguments: [1000, 1003, 1007, 1014, 3000, 3999, 4000, 4999])
  func closeCodes(_ code: UInt16) {
    let bytes = clientFrame(8, [UInt8(code >> 8), UInt8(code & 0xFF)])
    #expect(frameEvents([bytes]) == [.close(WebSocketCloseCode(rawValue: code), reason: "")])
  }

  @Test("an empty close frame has no code")
  func emptyClose() {
    #expect(frameEvents([clientFrame(8)]) == [.close(nil, reason: "")])
  }

  @Test("text that goes wrong fails before its frame is complete")
  func failsFast() {
    let frame = clientFrame(1, Array("abc".utf8) + [0xFF] + [UInt8](repeating: 0x41, count: 1000))
    #expect(failureCode(frameEvents([Array(frame[..<12])])) == 1007)
  }

  @Test("a size over the limit fails at its header, summed over fragments")
  func limits() {
    let limits = WebSocketLimits(messageBytes: 200, frameBytes: 150)
    func code(_ bytes: [UInt8]) -> UInt16? { failureCode(frameEvents([bytes], limits: limits)) }
    let part = [UInt8](repeating: 1, count: 150)
    #expect(code(clientFrame(2, part)) == nil)
    #expect(code([0x82, 0x80 | 126, 0, 151]) == 1009)
    #expect(code(clientFrame(2, part, isFinal: false) + clientFrame(0, Array(part.prefix(50)))) == nil)
    #expect(code(clientFrame(2, part, isFinal: false) + [0x80, 0x80 | 51]) == 1009)
    #expect(code(clientFrame(9, [UInt8](repeating: 1, count: 125))) == nil, "control frames have a limit of their own")
  }

  @Test("a client refuses masks and takes frames without")
  func client() {
    #expect(frameEvents([clientFrame(1, Array("a".utf8), key: nil)], role: .client) == [.message(.text("a"))])
    #expect(failureCode(frameEvents([clientFrame(1, "a")], role: .client)) == 1002)
  }

  @Test("an idle decoder is small")
  func size() {
    #expect(MemoryLayout<WebSocketFrameDecoder>.size <= 128)
    #expect(MemoryLayout<WebSocketMachine>.size <= 192)
  }

  @Test("whatever the bytes, nothing traps and the cut doesn't matter", arguments: [UInt64.random(in: 0...UInt64.max)])
  func mutations(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let limits = WebSocketLimits(messageBytes: 100, frameBytes: 80)
    let parts = [
      clientFrame(1, "Hällo 🙂"), clientFrame(9, "p"), clientFrame(2, [0, 255], isFinal: false), clientFrame(0, [7]),
      clientFrame(1, [0xC3], isFinal: false), clientFrame(0, [0xA4]), clientFrame(10), clientFrame(1),
      clientFrame(8, [0x03, 0xE8]), clientFrame(2, [UInt8](repeating: 9, count: 79)),
    ]
    for _ in 0..<100_000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes += parts[Int.random(in: 0..<parts.count, using: &generator)]
      }
      for _ in 0..<Int.random(in: 0...2, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[place] = UInt8.random(in: 0...255, using: &generator)
      }
      let whole = frameEvents([bytes], limits: limits)
      if frameEvents(Pieces.random(bytes, using: &generator), limits: limits) != whole {
        Issue.record("seed \(seed): \(bytes)")
        return
      }
    }
  }
}
