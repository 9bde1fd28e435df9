//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingJSON

@Suite("Reading JSON")
struct JSONParserTests {
  @Test(
    "what is no JSON is refused",
    arguments: [
      "", " ", "nul", "truex", "01", "-", "1.", ".5", "1e", "+1", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800",
      "\"\\ud800\\u41\"",
      "\"a\u{1}\"", "[", "[1", "[1,", "[1,]", "[1 2]", "{", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
      "{\"a\":1",
      "1 2", "NaN", "\"\\u00 1\"",
    ])
  func malformed(text: String) {
    #expect(throws: JSONFailure.self) { try JSONParser.parse(Array(text.utf8)) }
  }

  @Test("depth has a limit")
  func depth() throws {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    _ = try JSONParser.parse(nested(256))
    #expect(throws: JSONFailure.self) { try JSONParser.parse(nested(257)) }
  }

  @Test("any bytes are answered without a trap")
  func noise() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("{}[]\",:\\u0019deE+-. ntfalsr".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
        alphabet.randomElement(using: &generator) ?? 0
      }
      _ = try? JSONParser.parse(bytes)
    }
  }
}
