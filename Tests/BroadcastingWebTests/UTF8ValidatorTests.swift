//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import BroadcastingWeb

@Suite("Checking UTF-8 as it arrives")
struct UTF8ValidatorTests {
  private func isText(_ pieces: [[UInt8]]) -> Bool {
    var validator = UTF8Validator()
    for piece in pieces {
      guard piece.withUnsafeBytes({ validator.accepts($0) }) else { return false }
    }
    return validator.isAtBoundary
  }

  @Test("every sequence of up to three bytes that matter is judged as the standard library judges it")
  func exhaustive() {
    let bytes: [UInt8] = [
      0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
      0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]
    for first in bytes {
      for second in bytes {
        for third in bytes {
          for fourth in [0x80, 0xBF, 0x41] as [UInt8] {
            let text = [first, second, third, fourth]
            let expected = String(validating: text, as: UTF8.self) != nil
            if isText([text]) != expected { Issue.record("\(text)") }
          }
        }
      }
    }
  }

  @Test("random bytes among text, in pieces", arguments: [UInt64.random(in: 0...UInt64.max)])
  func random(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let sample = Array("plain text of more than sixteen bytes, äöü ß 中文 🙂 \u{10FFFF} and plain text again".utf8)
    for _ in 0..<20_000 {
      var text = sample
      for _ in 0..<Int.random(in: 0...2, using: &generator) {
        let place = Int.random(in: 0..<text.count, using: &generator)
        if Bool.random(using: &generator) {
          text[place] = UInt8.random(in: 0...255, using: &generator)
        } else {
          text.removeSubrange(place...)
          if text.isEmpty { text = [0x41] }
        }
      }
      let expected = String(validating: text, as: UTF8.self) != nil
      if isText([text]) != expected || isText(Pieces.random(text, using: &generator)) != expected {
        Issue.record("seed \(seed): \(text)")
        return
      }
    }
  }

  @Test("a fault is told at its first byte")
  func early() {
    var validator = UTF8Validator()
    #expect(([0xF4] as [UInt8]).withUnsafeBytes { validator.accepts($0) })
    #expect(!([0x90] as [UInt8]).withUnsafeBytes { validator.accepts($0) }, "above U+10FFFF, whatever follows")
  }
}
