//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingWeb

@Suite("Masking")
struct WebSocketMaskTests {
  @Test("every length, in every pair of pieces, is what the formula says")
  func naive() {
    let key: [UInt8] = [0x12, 0xAB, 0x00, 0xFF]
    for count in 0...70 {
      let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      let expected = payload.indices.map { payload[$0] ^ key[$0 % 4] }
      for cut in 0...count {
        var mask = WebSocketMask(key[0], key[1], key[2], key[3])
        var result: [UInt8] = []
        payload[..<cut].withUnsafeBytes { mask.append($0, to: &result) }
        payload[cut...].withUnsafeBytes { mask.append($0, to: &result) }
        if result != expected { Issue.record("\(count) bytes cut at \(cut)") }
      }
    }
  }
}
