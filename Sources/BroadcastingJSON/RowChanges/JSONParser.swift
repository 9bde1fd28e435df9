//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Reads a JSON text (RFC 8259) that is valid UTF-8.
struct JSONParser {
  /// Arrays and objects in each other.
  private static let maximumDepth = 256

  private let bytes: [UInt8]
  private var place = 0
  private var depth = 0
  /// The string that was read last had half of a character.
  private var isBroken = false

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func parse(_ bytes: [UInt8]) throws(JSONFailure) -> JSONValue {
    var parser = JSONParser(bytes)
    let value = try parser.value()
    parser.skipSpace()
    if parser.place < bytes.count { throw parser.failure("something stands behind the value") }
    return value
  }

  private func failure(_ reason: String) -> JSONFailure { JSONFailure(offset: place, reason: reason) }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D { place += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    place += 1
    return true
  }

  private mutating func value() throws(JSONFailure) -> JSONValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONFailure) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(JSONFailure) in try parser.array() }
    case UInt8(ascii: "\""):
      let text = try string()
      return isBroken ? .brokenString(text) : .string(text)
    case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return .number(try number())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw failure("there is no value")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONFailure) -> JSONValue {
    let count = word.utf8CodeUnitCount
    let isThere = word.withUTF8Buffer { bytes[place...].prefix(count).elementsEqual($0) }
    guard isThere else { throw failure("there is no value") }
    place += count
    return value
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONFailure) -> JSONValue
  ) throws(JSONFailure) -> JSONValue {
    guard depth < Self.maximumDepth else { throw failure("more than \(Self.maximumDepth) values are in each other") }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  private mutating func object() throws(JSONFailure) -> JSONValue {
    let start = place
    place += 1
    var members: [String: JSONValue] = [:]
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members, start..<place) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("a name is missing") }
      let name = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw failure("a colon is missing") }
      members[name] = try value()
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members, start..<place) }
      guard take(UInt8(ascii: ",")) else { throw failure("a comma or the object's end is missing") }
    }
  }

  private mutating func array() throws(JSONFailure) -> JSONValue {
    let start = place
    place += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(elements, start..<place) }
    while true {
      elements.append(try value())
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements, start..<place) }
      guard take(UInt8(ascii: ",")) else { throw failure("a comma or the array's end is missing") }
    }
  }

  private mutating func number() throws(JSONFailure) -> String {
    let start = place
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }

  private mutating func digits() throws(JSONFailure) {
    let start = place
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place += 1 }
    if place == start { throw failure("a digit is missing") }
  }

  private mutating func string() throws(JSONFailure) -> String {
    isBroken = false
    place += 1
    var text: [UInt8] = []
    while true {
      let start = place
      while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { place += 1 }
      text += bytes[start..<place]
      if take(UInt8(ascii: "\"")) { return String(decoding: text, as: UTF8.self) }
      guard take(UInt8(ascii: "\\")) else { throw failure("a string does not end, or holds a control character") }
      text += try escaped()
    }
  }

  private mutating func escaped() throws(JSONFailure) -> [UInt8] {
    guard let byte = next else { throw failure("a string does not end") }
    place += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return Array(String(try scalar()).utf8)
    default: throw failure("an escape is none of JSON's")
    }
  }

  /// A character above U+FFFF is written as two escapes.
  private mutating func scalar() throws(JSONFailure) -> Unicode.Scalar {
    let first = try unit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    let behind = place
    if UTF16.isLeadSurrogate(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
      let second = try unit()
      if UTF16.isTrailSurrogate(second),
        let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
      {
        return scalar
      }
    }
    // What follows is read by itself.
    place = behind
    isBroken = true
    return "\u{FFFD}"
  }

  private mutating func unit() throws(JSONFailure) -> UInt16 {
    let digits = bytes[place...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("\\u is not followed by four hexadecimal digits") }
    place += 4
    return unit
  }
}
