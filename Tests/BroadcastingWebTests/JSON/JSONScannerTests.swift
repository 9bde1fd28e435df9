//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import FoundationEssentials
import TestSupport
import Testing

@testable import BroadcastingWeb

@Suite("The JSON scanner")
struct JSONScannerTests {
  /// Reads `bytes` as a whole document.
  private func scan(_ bytes: [UInt8]) throws(JSONError) {
    try bytes.withUnsafeBufferPointer { bytes throws(JSONError) in
      var scanner = JSONScanner(bytes)
      try scanner.refuseByteOrderMark()
      scanner.skipWhitespace()
      try scanner.skipValue()
      try scanner.finish()
    }
  }

  private func accepts(_ bytes: [UInt8]) -> Bool {
    do throws(JSONError) {
      try scan(bytes)
      return true
    } catch {
      return false
    }
  }

  @Test("takes what is JSON", arguments: JSONDocuments.valid)
  func takesValid(text: String) {
    #expect(throws: Never.self) { try scan(Array(text.utf8)) }
  }

  @Test("refuses what is not JSON", arguments: JSONDocuments.invalid)
  func refusesInvalid(text: String) {
    #expect(throws: JSONError.self) { try scan(Array(text.utf8)) }
  }

  @Test(
    "refuses every document that is cut off", arguments: JSONDocuments.valid.filter { "[{\"".contains($0.first ?? "0") }
  )
  func refusesPrefixes(text: String) {
    let bytes = Array(text.utf8)
    for length in 0..<bytes.count { #expect(!accepts(Array(bytes.prefix(length))), "the first \(length) bytes") }
  }

  @Test("refuses what is not UTF-8, wherever it stands in a string", arguments: JSONDocuments.notUTF8)
  func refusesBadUTF8(bytes: [UInt8]) throws {
    for before in 0...17 {
      let text = Array("\"".utf8) + Array(repeating: UInt8(ascii: "a"), count: before) + bytes + Array("bcd\"".utf8)
      let error = #expect(throws: JSONError.self) { try scan(text) }
      #expect(error?.offset == before + 1)
    }
  }

  @Test("stops at every byte that a string must not have, whatever the place", arguments: 0..<40)
  func stopsAtSpecialBytes(place: Int) {
    for byte in UInt8.min...UInt8.max {
      var text = Array(repeating: UInt8(ascii: "x"), count: 42)
      (text[0], text[41]) = (UInt8(ascii: "\""), UInt8(ascii: "\""))
      text[place + 1] = byte
      let isPlain = (0x20..<0x80).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
      #expect(accepts(text) == isPlain, "byte \(byte)")
    }
  }

  @Test("512 arrays and objects inside one another go, one more doesn't")
  func limitsNesting() throws {
    let limit = JSONScanner.maxNesting
    func nested(_ depth: Int) -> [UInt8] {
      let opens = (0..<depth).map { $0.isMultiple(of: 3) ? "{\"a\":" : "[" }.joined()
      let closes = (0..<depth).reversed().map { $0.isMultiple(of: 3) ? "}" : "]" }.joined()
      return Array((opens + "1" + closes).utf8)
    }
    try scan(nested(limit))
    let error = #expect(throws: JSONError.self) { try scan(nested(limit + 1)) }
    #expect(error?.code == .nestedTooDeeply)
    #expect(throws: JSONError.self) { try scan(Array(repeating: UInt8(ascii: "["), count: 1_000_000)) }
  }

  @Test("closes the container that is open, at every depth")
  func closesRightContainer() {
    for depth in [1, 2, 63, 64, 65, 128, 129, 511] {
      let right = String(repeating: "[", count: depth) + "{}" + String(repeating: "]", count: depth)
      let wrong = String(repeating: "[", count: depth) + "{]" + String(repeating: "]", count: depth)
      let mixed = String(repeating: "[", count: depth) + "{}" + String(repeating: "]", count: depth - 1) + "}"
      #expect(accepts(Array(right.utf8)))
      #expect(!accepts(Array(wrong.utf8)))
      #expect(!accepts(Array(mixed.utf8)))
    }
  }

  @Test(
    "an error tells the place and what was expected",
    arguments: [
      ("[1,]", 3, "']' where a value should be"), ("[1 2]", 3, "'2' where ',' or ']' should be"),
      ("{\"a\":1", 6, "the text ends where ',' or '}' should be"), ("{\"a\" 1}", 5, "'1' where ':' should be"),
      ("\"ab", 0, "a string without its closing quote"), ("[\"a\u{1}\"]", 3, "the byte 0x01 inside a string"),
      ("1 x", 2, "'x' where the end of the text should be"), ("-x", 1, "'x' where a digit should be"),
      ("nil", 1, "'i' where true, false or null should be"), (#"["\uD800"]"#, 2, "half of a surrogate pair"),
      (#"["\x"]"#, 2, "a backslash before 'x'"), ("\u{feff}1", 0, "a byte order mark"),
      ("{a", 1, "'a' where a name in quotes"),
    ])
  func errorsTellPlace(text: String, offset: Int, reason: String) throws {
    let error = try #require(throws: JSONError.self) { try scan(Array(text.utf8)) }
    #expect(error.offset == offset)
    #expect(error.reason.contains(reason), "\(error)")
  }

  @Test("agrees with a plain recursive reader on documents broken at random")
  func agreesWithPlainReader() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    var taken = 0
    for round in 0..<20_000 {
      let text = Array(JSONDocuments.random(using: &random, depth: 3).utf8)
      let bytes = round.isMultiple(of: 4) ? text : JSONDocuments.broken(text, using: &random)
      let expected = PlainJSONReader.accepts(bytes)
      if expected { taken += 1 }
      guard accepts(bytes) == expected else {
        Issue.record("seed \(seed), round \(round): \(bytes) should be \(expected ? "taken" : "refused")")
        return
      }
    }
    #expect(taken > 5_000, "seed \(seed)")
  }

  @Test("takes what Foundation's decoder takes, of documents made at random")
  func agreesWithFoundation() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<500 {
      let text = "[" + JSONDocuments.random(using: &random) + "]"
      #expect(throws: Never.self, "seed \(seed), round \(round)") {
        _ = try JSONDecoder().decode([Anything].self, from: Data(text.utf8))
        try scan(Array(text.utf8))
      }
    }
  }
}

/// Any JSON value.
private enum Anything: Decodable {
  case null, flag, number, text(String)
  indirect case list([Anything]), object([String: Anything])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if (try? value.decode(Bool.self)) != nil {
      self = .flag
    } else if (try? value.decode(Double.self)) != nil {
      self = .number
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([Anything].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: Anything].self))
    }
  }
}
