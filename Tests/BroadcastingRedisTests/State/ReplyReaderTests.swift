//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingRedis

@Suite("What a server says")
struct ReplyReaderTests {
  /// All replies, read in portions of so many bytes: the kind, and the pieces in brackets where they are several.
  private func read(
    _ text: String, by step: Int = .max, limit: Int = ReplyReader.maximumBytes
  ) throws -> [String] {
    let reader = try ReplyReader(limit: limit)
    var replies: [String] = []
    let bytes = Array(text.utf8)
    var from = 0
    while from < bytes.count {
      let to = min(bytes.count, from + min(step, bytes.count))
      try bytes[from..<to].withUnsafeBytes { try reader.feed($0) }
      from = to
      while let kind = try reader.next() {
        let pieces = (0..<reader.count).map {
          reader.kind(at: $0) == .text ? reader.text(at: $0) : "\(reader.kind(at: $0))"
        }
        switch kind {
        case .list: replies.append("[\(pieces.joined(separator: " "))]")
        case .error: replies.append("error \(reader.text(at: 0))")
        case .text: replies.append("text \(pieces[0])")
        case .integer(let number): replies.append("integer \(number)")
        case .nothing, .tooLong: replies.append("\(kind)")
        }
      }
    }
    return replies
  }

  private static let all =
    "+OK\r\n:42\r\n-ERR no\r\n$5\r\nhello\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\n\r\n\r\n"
    + "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*2\r\n+x\r\n*2\r\n+y\r\n$-1\r\n:7\r\n"

  @Test("every kind is read, wherever the bytes are cut", arguments: 1...40)
  func kinds(step: Int) throws {
    #expect(
      try read(Self.all, by: step) == [
        "text OK", "integer 42", "error ERR no", "text hello", "text ", "nothing", "nothing", "[]", "[message a \r\n]",
        "[subscribe a integer(1)]", "[x list]", "integer 7",
      ])
  }

  @Test(
    "what is not the protocol is an error that says so",
    arguments: ["HTTP/1.1 400 Bad Request\r\n", "hello\r\n", "$x\r\n", "*9999999999999\r\n", ":1x\r\n"])
  func foreign(text: String) {
    let error = #expect(throws: ReplyReader.Violation.self) { try read(text) }
    #expect(error?.text.isEmpty == false)
  }

  @Test("lists that are nested too deeply are an error")
  func nested() throws {
    #expect(try read(String(repeating: "*1\r\n", count: 7) + ":1\r\n") == ["[list]"])
    for count in [8, 20] {
      let error = #expect(throws: ReplyReader.Violation.self) {
        try read(String(repeating: "*1\r\n", count: count) + ":1\r\n")
      }
      #expect(error?.text.contains("nested too deeply") == true)
    }
  }

  @Test("a list may be said to be as long as it likes, and keeps no more pieces than are looked at")
  func longList() throws {
    #expect(try read("*2000000000\r\n:1\r\n:2\r\n") == [])
    let reply = try read("*1000\r\n" + String(repeating: ":1\r\n", count: 1000))
    #expect(reply[0].split(separator: " ").count == 32)
  }

  @Test("a piece that is not there is nothing")
  func noPiece() throws {
    let reader = try ReplyReader()
    for reply in ["*0\r\n", "$1\r\nx\r\n", "*2\r\n+a\r\n+b\r\n"] {
      try Array(reply.utf8).withUnsafeBytes { try reader.feed($0) }
      #expect(try reader.next() != nil)
      for index in [-1, reader.count, 40] {
        #expect(reader.kind(at: index) == .nothing)
        #expect(reader.bytes(at: index).isEmpty)
        #expect(reader.text(at: index) == "")
      }
    }
  }

  @Test("a kind that RESP2 does not have is an error", arguments: [",1.5\r\n", "#t\r\n", "_\r\n"])
  func laterKinds(text: String) {
    // Parsers from version 1.0 on know them, and _ is nothing to them.
    guard (try? read("+before\r\n" + text)) != ["text before", "nothing"] else { return }
    #expect(throws: ReplyReader.Violation.self) { try read("+before\r\n" + text) }
  }

  @Test("of a string beyond the limit nothing is kept, wherever the bytes are cut", arguments: [1, 7, 100, 1500, 4096])
  func longString(step: Int) throws {
    let long = String(repeating: "1\r\n", count: 500)
    let allowed = String(repeating: "x", count: 1000)
    #expect(
      try read(
        "*3\r\n$1\r\na\r\n$1500\r\n\(long)\r\n$1\r\nb\r\n$1500\r\n\(long)\r\n$0\r\n\r\n$1000\r\n\(allowed)\r\n+1500\r\n",
        by: step, limit: 1000) == ["[a tooLong(1500) b]", "tooLong(1500)", "text ", "text \(allowed)", "text 1500"])
  }

  @Test(
    "what the parser takes for no length is none of a string beyond the limit either",
    arguments: ["1500\rX", "+1500\r\n"])
  func noLength(line: String) {
    #expect(throws: ReplyReader.Violation.self) {
      try read("$\(line)" + String(repeating: "x", count: 1500) + "\r\n+OK\r\n", by: 7, limit: 1000)
    }
  }

  @Test("a line without an end is given up at the limit")
  func longLine() {
    #expect(throws: ReplyReader.Violation.self) {
      try read("+" + String(repeating: "x", count: 6000), by: 100, limit: 1000)
    }
  }

  @Test("a large string is read whole")
  func large() throws {
    let text = String(repeating: "0123456789", count: 100_000)
    #expect(try read("*2\r\n+a\r\n$1000000\r\n\(text)\r\n:1\r\n", by: 4096) == ["[a \(text)]", "integer 1"])
  }
}
