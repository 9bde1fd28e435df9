//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import FoundationEssentials
import TestSupport
import Testing

@testable import BroadcastingWeb

@Suite("JSON strings")
struct JSONTextTests {
  private func text(of json: String) throws(JSONError) -> String {
    try Array(json.utf8).withUnsafeBufferPointer { bytes throws(JSONError) in
      var scanner = JSONScanner(bytes)
      let string = try scanner.skipString()
      try scanner.finish()
      return scanner.text(of: string)
    }
  }

  private func written(_ text: String) -> String {
    var output: [UInt8] = []
    JSONWriter.append(text, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  @Test(
    "escapes are resolved",
    arguments: [
      (#""""#, ""), (#""abc""#, "abc"), (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t"),
      (#""\u0041\u00e9\u20aC""#, "Aé€"), (#""\uD83D\uDE00!""#, "😀!"),
      (#""\uD800\uDC00\uDBFF\uDFFF""#, "\u{10000}\u{10ffff}"),
      (#""é\u0301漢""#, "é\u{301}漢"), (#""\u0000""#, "\u{0}"), (#""\ufffe\uffff""#, "\u{fffe}\u{ffff}"),
    ])
  func resolvesEscapes(json: String, expected: String) throws {
    // Scalar by scalar, since two spellings of a character are equal as strings.
    #expect(Array(try text(of: json).unicodeScalars) == Array(expected.unicodeScalars))
  }

  @Test("a string knows whether it says a name, escaped or not")
  func comparesNames() throws {
    for (json, isName) in [
      (#""channel""#, true), (#""ch\u0061nnel""#, true), (#""Channel""#, false), (#""channe""#, false),
      (#""channels""#, false),
    ] {
      try Array(json.utf8).withUnsafeBufferPointer { bytes in
        var scanner = JSONScanner(bytes)
        let string = try scanner.skipString()
        #expect(scanner.string(string, is: "channel") == isName, "\(json)")
      }
    }
  }

  @Test(
    "what must be escaped is, and nothing else",
    arguments: [
      ("", #""""#), ("abc", #""abc""#), ("\"", #""\"""#), ("\\", #""\\""#), ("/", #""/""#),
      ("\u{8}\u{c}\n\r\t", #""\b\f\n\r\t""#),
      ("\u{0}\u{1f}", #""\u0000\u001f""#), ("\u{7f}é漢😀\u{2028}", "\"\u{7f}é漢😀\u{2028}\""),
      ("{\"a\": [1, \"b\"]}", #""{\"a\": [1, \"b\"]}""#),
    ])
  func escapes(text: String, json: String) {
    #expect(written(text) == json)
  }

  @Test("every byte is escaped or kept, whatever its place", arguments: 0...20)
  func escapesAtEveryPlace(place: Int) throws {
    for scalar in (0..<0x100).compactMap({ Unicode.Scalar($0) }) {
      var scalars = Array(repeating: Unicode.Scalar("x"), count: 21)
      scalars[place] = scalar
      let original = String(String.UnicodeScalarView(scalars))
      let expected: String =
        switch scalar {
        case "\"", "\\": "\\\(scalar)"
        case "\u{8}": "\\b"
        case "\u{c}": "\\f"
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case "\u{0}"..."\u{f}": "\\u000\(String(scalar.value, radix: 16))"
        case "\u{10}"..."\u{1f}": "\\u00\(String(scalar.value, radix: 16))"
        default: String(Character(scalar))
        }
      let xs = { String(repeating: "x", count: $0) }
      #expect(Array(written(original).utf8) == Array("\"\(xs(place))\(expected)\(xs(20 - place))\"".utf8))
    }
  }

  @Test("what was written is read again, by the scanner and by Foundation")
  func roundTrips() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let scalars = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        let highest: UInt32 = [0x7f, 0x7f, 0x7ff, 0xd7ff, 0x10ffff].randomElement(using: &random) ?? 0x7f
        return Unicode.Scalar(UInt32.random(in: 0...highest, using: &random)) ?? "?"
      }
      let original = String(String.UnicodeScalarView(scalars))
      let json = written(original)
      #expect(Array(try text(of: json).unicodeScalars) == scalars, "seed \(seed)")
      let decoded = try JSONDecoder().decode([String].self, from: Data("[\(json)]".utf8))
      #expect(Array(decoded[0].unicodeScalars) == scalars, "seed \(seed)")
    }
  }
}
