//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("Lines of standard input")
struct LineSplitterTests {
  private func lines(of text: String, piece: Int, limit: Int = 100) throws -> [String] {
    var splitter = LineSplitter(limit: limit)
    var lines: [String] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: piece) {
      splitter.append(Array(bytes[start..<min(start + piece, bytes.count)]))
      while let line = try splitter.next(isAtEnd: false) { lines.append(String(decoding: line, as: UTF8.self)) }
    }
    while let line = try splitter.next(isAtEnd: true) { lines.append(String(decoding: line, as: UTF8.self)) }
    #expect(splitter.count == lines.count)
    return lines
  }

  @Test(
    "a line ends with LF or with the end, however the bytes come", arguments: [1, 2, 3, 100],
    [
      ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n\na\n\n", ["", "", "a", ""]),
      ("a\r\nb\r\n", ["a\r", "b\r"]), ("é\n\u{1f600}", ["é", "\u{1f600}"]), ("a\0b\n", ["a\0b"]),
    ])
  func splits(piece: Int, example: (text: String, lines: [String])) throws {
    #expect(try lines(of: example.text, piece: piece) == example.lines)
  }

  @Test("a line may have as many bytes as the limit says, and no more", arguments: [1, 2, 100])
  func limit(piece: Int) throws {
    #expect(try lines(of: "abc\nabc\nabc", piece: piece, limit: 3) == ["abc", "abc", "abc"])
    #expect(throws: LineSplitter.TooLong(number: 3)) { try lines(of: "abc\n\nabcd\nab", piece: piece, limit: 3) }
    #expect(throws: LineSplitter.TooLong(number: 2)) { try lines(of: "abc\nabcd", piece: piece, limit: 3) }
  }

  @Test("a line without end is refused as soon as it is too long")
  func endlessLine() throws {
    var splitter = LineSplitter(limit: 3)
    splitter.append(Array("abcd".utf8))
    #expect(throws: LineSplitter.TooLong(number: 1)) { try splitter.next(isAtEnd: false) }
  }
}
