//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite("Words about presence")
struct PresenceWordsTests {
  private func news(_ text: String) -> PresenceNews? { Array(text.utf8).withUnsafeBytes { PresenceWords.news($0) } }

  @Test("an update says where it stands, what happened, and to whom")
  func updates() {
    let position = MessagePosition(epoch: 12, offset: 3)
    #expect(news("12-3 + 3 ann") == PresenceNews(position: position, update: .joined(.init("ann"))))
    #expect(news("12-3 - 3 ann") == PresenceNews(position: position, update: .left(.init("ann"))))
    #expect(
      news("12-3 ~ 4 a nnin fo") == PresenceNews(position: position, update: .changed(.init("a nn", info: "in fo"))))
    #expect(news("12-3 + 1 a\n\0") == PresenceNews(position: position, update: .joined(.init("a", info: "\n\0"))))
  }

  @Test(
    "what is none is none",
    arguments: [
      "", "x", "12-3 + 4 ann", "12-3 * 3 ann", "12 + 3 ann", "12-3  3 ann", "12-3 + -1 ann", "12-3 + 3", "-3 + 3 ann",
      "12-3 ++ 3 ann", "12-3 + x ann",
    ])
  func none(text: String) { #expect(news(text) == nil) }

  @Test("bytes at random trap nothing")
  func fuzz() {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<20_000 {
      var bytes = Array("12-3 + 3 anninfo".utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
      bytes.withUnsafeBytes { _ = PresenceWords.news($0) }
    }
  }
}
