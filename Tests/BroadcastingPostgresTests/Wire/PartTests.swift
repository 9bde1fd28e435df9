//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingPostgres

@Suite("Parts of a message")
struct PartTests {
  private func parse(_ text: String) -> (part: Part, pieceStart: Int)? {
    Array(text.utf8).withUnsafeBufferPointer { Part.parse($0) }
  }

  @Test("what is written is read")
  func roundTrip() throws {
    let part = Part(number: 17, index: 2, count: 3, totalBytes: 20_000)
    #expect(part.header == Array("\u{2}bc1p17 2 3 20000 ".utf8))
    let read = try #require(parse("\u{2}bc1p17 2 3 20000 chunk"))
    #expect(read.part == part)
    #expect(read.pieceStart == part.header.count)
  }

  @Test(
    "what does not keep the form is none",
    arguments: [
      "", "plain", "\u{2}bc1p", "\u{2}bc1r1 1 1 1 a", "\u{2}bc2p1 1 1 1 a", "\u{2}bc1p1 1 1 1", "\u{2}bc1p1 1 1 a",
      "\u{2}bc1p1 0 1 1 a", "\u{2}bc1p1 2 1 1 a", "\u{2}bc1p01 1 1 1 a", "\u{2}bc1p1  1 1 1 a", "\u{2}bc1p-1 1 1 1 a",
      "\u{2}bc1p1 1 1 1 ab", "\u{2}bc1p1000000000000000 1 1 1 a", "\u{2}bc1p1\t1 1 1 a", "\u{2}bc1p 1 1 1 a",
    ])
  func refused(text: String) {
    #expect(parse(text) == nil)
  }

  @Test("an empty whole has one empty part")
  func empty() throws {
    #expect(try #require(parse("\u{2}bc1p1 1 1 0 ")).part.totalBytes == 0)
  }

  @Test("text is cut between characters, and nothing is lost", arguments: 1...5)
  func cut(shift: Int) {
    let text = Array((String(repeating: "x", count: shift) + String(repeating: "aé€😀", count: 3_000)).utf8)
    let pieces = Part.cut(text)
    #expect(pieces.allSatisfy { $0.count <= Part.maximumPiece && !$0.isEmpty })
    #expect(pieces.allSatisfy { String(validating: text[$0], as: UTF8.self) != nil })
    #expect(pieces.flatMap { text[$0] } == text)
  }

  @Test("a part fits into a notification, whatever its numbers")
  func fits() throws {
    let most = 999_999_999_999_999
    let longest = Part(number: most, index: most, count: most, totalBytes: most)
    #expect(try #require(parse(String(decoding: longest.header, as: UTF8.self))).part == longest)
    #expect(longest.header.count + Part.maximumPiece <= Part.maximumNotification)
  }
}
