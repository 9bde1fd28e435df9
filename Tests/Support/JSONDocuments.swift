//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Texts on which reading JSON is tried: written out, made at random, and broken at random.
package enum JSONDocuments {
  package static let valid: [String] = [
    "0", "-0", "10", "-1", "1.0", "0.5", "1e5", "1E+5", "1e-05", "-0.0e0", "123456789012345678901234567890.5e300",
    "true", "false", "null", "\"\"", "[]", "{}", "[ ]", "{ }", "[[]]", "[{}]", "{\"\":{}}", "[1]", "[1,2 , 3]",
    "{\"a\":1}", "{\"a\" : 1 , \"b\":[true,false,null]}", "{\"a\":1,\"a\":2}", " \t\r\n[ \t\r\n1 \t\r\n] \t\r\n",
    #""plain text""#, #""\"\\\/\b\f\n\r\t""#, #""\u0000\u001F\u00e9\u20AC\uD83D\uDE00""#, #""\uDBFF\uDFFF""#,
    #""\\u12""#,
    "\"\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}\u{2028}\u{feff}\"", "\"é漢字😀 e\u{301}\"",
    "[\"a\",1,{\"b\":[{\"c\":[]}]},[[[\"]\"]]]]", "{\"]\":\"}\",\"[\":\"{\"}",
  ]

  package static let invalid: [String] = [
    "", " ", "01", "-", "-01", "+1", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1E-", "0x10", "1_000", "1a", "NaN",
    "Infinity",
    "-Infinity", "True", "tru", "truE", "nul", "nulll", "fals", "undefined", "'a'", "\"", "\"a", "a\"", "\"\\\"",
    "\"\\x41\"",
    "\"\\u12\"", "\"\\u12g4\"", "\"\\U0041\"", "\"\\ \"", "\"a\nb\"", "\"a\tb\"", "\"\u{0}\"", "\"\u{1f}\"", "[", "]",
    "{", "}", "[1",
    "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1}", "{\"a\":1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}",
    "{1:1}",
    "{\"a\" 1}", "{\"a\"::1}", "{\"a\":1 \"b\":2}", "{\"a\":1,,\"b\":2}", "[]]", "{}}", "[] []", "1 2", "true false",
    "\"a\"\"b\"",
    "/* a */1", "1//", "\u{feff}1", "\u{a0}1", "\u{b}1", "\u{c}1", "[1\u{0}]", "\u{0}", #""\uD800""#, #""\uDC00""#,
    #""\uDC00\uD800""#, #""\uD800\uD800""#, #""\uD800\n""#, #""\uD800x""#, #""\uD83D\u0041""#, #""\uD83D\uDE0""#,
    #"{"\uD800":1}"#,
  ]

  /// Strings whose bytes are not UTF-8, without their quotes.
  package static let notUTF8: [[UInt8]] = [
    [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x41], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf],
    [0xe1, 0x80],
    [0xe1, 0x80, 0x41], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf0, 0x90, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff], [0xfe], [0xe2, 0x28, 0xa1],
  ]

  package static func random(using random: inout SeededGenerator, depth: Int = 4) -> String {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
    case 0: return ["true", "false", "null"].randomElement(using: &random) ?? "null"
    case 1: return String(Int.random(in: -1_000_000...1_000_000, using: &random))
    case 2: return String(Double.random(in: -1e9...1e9, using: &random))
    case 3...5: return string(using: &random)
    case 6:
      let elements = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        JSONDocuments.random(using: &random, depth: depth - 1)
      }
      return "[\(space(&random))" + elements.joined(separator: "\(space(&random)),\(space(&random))")
        + "\(space(&random))]"
    default:
      let members = (0..<Int.random(in: 0...4, using: &random)).map { index in
        // Names that differ, so that every reader agrees on what is meant.
        let value = JSONDocuments.random(using: &random, depth: depth - 1)
        return "\"\(index)\(string(using: &random).dropFirst())\(space(&random)):\(space(&random))\(value)"
      }
      return "{\(space(&random))" + members.joined(separator: "\(space(&random)),") + "\(space(&random))}"
    }
  }

  private static func space(_ random: inout SeededGenerator) -> String {
    ["", "", "", " ", "\n", "\t", "\r\n "].randomElement(using: &random) ?? ""
  }

  private static func string(using random: inout SeededGenerator) -> String {
    let pieces = [
      "a", "xyz", "0123456789abcdef", " ", "é", "漢", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\u00e9",
      "\\uD83D\\uDE00", "]", "{",
    ]
    return "\""
      + (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      + "\""
  }

  /// `text` with one to three small damages: bytes exchanged, removed, doubled or put in.
  package static func broken(_ text: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
    var bytes = text
    let telling = Array("{}[]\",:\\/0123456789eE+-.tfnu \n\u{0}".utf8) + [0x80, 0xc3, 0xed, 0xf0, 0xff]
    for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] = telling.randomElement(using: &random) ?? 0
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(telling.randomElement(using: &random) ?? 0, at: place)
      default: bytes.replaceSubrange(place..<place, with: bytes[place..<min(bytes.count, place + 5)])
      }
    }
    return bytes
  }
}

/// Reads JSON in the plainest way, by recursion over bytes, to compare the scanner with.
package struct PlainJSONReader {
  private var rest: ArraySlice<UInt8>

  package static func accepts(_ bytes: [UInt8]) -> Bool {
    guard String(validating: bytes, as: UTF8.self) != nil else { return false }
    var reader = PlainJSONReader(rest: bytes[...])
    return reader.element() && reader.rest.isEmpty
  }

  private init(rest: ArraySlice<UInt8>) { self.rest = rest }

  private mutating func take(_ text: String) -> Bool {
    guard rest.starts(with: text.utf8) else { return false }
    rest = rest.dropFirst(text.utf8.count)
    return true
  }

  private mutating func white() { rest = rest.drop { " \t\r\n".utf8.contains($0) } }

  private mutating func element() -> Bool {
    white()
    defer { white() }
    if take("true") || take("false") || take("null") { return true }
    if rest.first == UInt8(ascii: "\"") { return string() }
    if take("[") { return list(end: "]") { $0.element() } }
    if take("{") {
      return list(end: "}") { reader in
        reader.white()
        guard reader.string() else { return false }
        reader.white()
        return reader.take(":") && reader.element()
      }
    }
    return number()
  }

  private mutating func list(end: String, _ member: (inout PlainJSONReader) -> Bool) -> Bool {
    white()
    if take(end) { return true }
    repeat { guard member(&self) else { return false } } while take(",")
    return take(end)
  }

  private mutating func digits() -> Bool {
    let before = rest.count
    rest = rest.drop { "0123456789".utf8.contains($0) }
    return rest.count < before
  }

  private mutating func number() -> Bool {
    _ = take("-")
    if !take("0"), !digits() { return false }
    if take("."), !digits() { return false }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      return digits()
    }
    return true
  }

  private mutating func hex() -> Int? {
    guard take("\\u"), rest.count >= 4, let text = String(validating: rest.prefix(4), as: UTF8.self),
      text.allSatisfy({ $0.isASCII && $0.isHexDigit })
    else { return nil }
    rest = rest.dropFirst(4)
    return Int(text, radix: 16)
  }

  private mutating func string() -> Bool {
    guard take("\"") else { return false }
    while let byte = rest.first {
      if take("\"") { return true }
      if byte < 0x20 { return false }
      if byte == UInt8(ascii: "\\") {
        if rest.dropFirst().first == UInt8(ascii: "u") {
          guard let unit = hex(), !(0xdc00...0xdfff).contains(unit) else { return false }
          if (0xd800...0xdbff).contains(unit) {
            guard let second = hex(), (0xdc00...0xdfff).contains(second) else { return false }
          }
        } else {
          guard let escaped = rest.dropFirst().first, "\"\\/bfnrt".utf8.contains(escaped) else { return false }
          rest = rest.dropFirst(2)
        }
      } else {
        rest = rest.dropFirst()
      }
    }
    return false
  }
}
