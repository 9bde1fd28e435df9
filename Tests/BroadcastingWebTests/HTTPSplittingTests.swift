//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import BroadcastingWeb

@Suite("Requests in pieces")
struct HTTPSplittingTests {
  static let samples = [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "\r\nGET /a?b=c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "POST /push HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8\r\nAccept: */*\r\n"
      + "Content-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"message\":\"hi\"}",
    "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "a;x=\"y\"\r\n0123456789\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n",
    "GET /events HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nX:  padded \t \r\n\r\n",
  ]

  @Test("the cut doesn't matter", arguments: [samples.joined(), samples[3] + samples[2]])
  func cuts(_ text: String) {
    let bytes = Array(text.utf8)
    let whole = Reading.of([bytes])
    #expect(whole.failure == nil)
    #expect(whole.isIdle)
    #expect(Reading.of(Pieces.byteByByte(bytes)) == whole)
    for halves in Pieces.halves(bytes) where Reading.of(halves) != whole {
      Issue.record("cut at \(halves[0].count)")
    }
  }

  @Test("whatever the bytes, nothing traps and the cut doesn't matter", arguments: [UInt64.random(in: 0...UInt64.max)])
  func mutations(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let limits = HTTPLimits(targetBytes: 24, headerBytes: 120, headerFields: 5, bodyBytes: 24)
    let interesting: [UInt8] = Array("\r\n \t:;,0129aA/?%#\u{0}\u{7f}".utf8) + [0x80, 0xFF]
    for _ in 0..<100_000 {
      var bytes = Array(Self.samples[Int.random(in: 0..<Self.samples.count, using: &generator)].utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        let byte = interesting[Int.random(in: 0..<interesting.count, using: &generator)]
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] = byte
        case 1: bytes.insert(byte, at: place)
        case 2: if bytes.count > 1 { bytes.remove(at: place) }
        default: bytes.insert(contentsOf: bytes[place...].prefix(12), at: place)
        }
      }
      let whole = Reading.of([bytes], limits: limits)
      let pieces = Pieces.random(bytes, using: &generator)
      let cut = Reading.of(pieces, limits: limits)
      if cut.requests != whole.requests || cut.failure?.code != whole.failure?.code || cut.isIdle != whole.isIdle {
        Issue.record("seed \(seed): \(String(decoding: bytes, as: UTF8.self).debugDescription): \(whole), \(cut)")
        return
      }
    }
  }
}
