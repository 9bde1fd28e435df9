//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Reads JSON (RFC 8259) in place: it says where values begin and end and refuses whatever is not JSON, but builds
/// nothing. So a message can be passed on exactly as it came, digits and order of keys included.
///
/// It does not recurse: what is open is a bit for each level, and there are at most `maxNesting` levels.
package struct JSONScanner {
  /// How many arrays and objects may be open at once.
  package static let maxNesting = 512

  let bytes: UnsafeBufferPointer<UInt8>
  private(set) package var position = 0
  private var nesting = Nesting()

  /// - Parameter bytes: the text. It has to outlive the scanner.
  package init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The byte at the position, or 0 at the end: no place of the grammar takes a 0.
  package var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

  /// A byte order mark would be white space to some and an error to others (RFC 8259, section 8.1): it is refused.
  package func refuseByteOrderMark() throws(JSONError) {
    guard bytes.starts(with: [0xef, 0xbb, 0xbf]) else { return }
    throw JSONError(.malformed, "a byte order mark before the text, which JSON must not have", at: 0)
  }

  package mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case .space, .tab, .lineFeed, .carriageReturn: position += 1
      default: return
      }
    }
  }

  /// Steps over `byte` when it comes next.
  package mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte, position < bytes.count else { return false }
    position += 1
    return true
  }

  /// Refuses anything but white space up to the end of the text.
  package mutating func finish() throws(JSONError) {
    skipWhitespace()
    guard position == bytes.count else { throw unexpected("the end of the text") }
  }

  /// Steps over `{` or `[`; counts as a level until ``close()``.
  package mutating func open(_ kind: JSONContainer) throws(JSONError) {
    guard nesting.depth < Self.maxNesting else {
      throw JSONError(
        .nestedTooDeeply, "more than \(Self.maxNesting) arrays and objects inside one another", at: position)
    }
    nesting.open(kind)
    position += 1
  }

  /// Steps over `}` or `]`.
  package mutating func close() {
    nesting.close()
    position += 1
  }

  /// Steps over a member's name and its colon, up to the value.
  package mutating func skipName() throws(JSONError) -> JSONString {
    guard next == .quote else { throw unexpected("a name in quotes") }
    let name = try skipString()
    skipWhitespace()
    guard take(.colon) else { throw unexpected("':'") }
    skipWhitespace()
    return name
  }

  /// Steps over one value of any kind, which has to begin at the position.
  package mutating func skipValue() throws(JSONError) {
    let outside = nesting.depth
    repeat {
      if try skipScalarOrOpen() { continue }
      // A value has ended. Close what ends with it, until another value has to follow.
      while nesting.depth > outside, try !skipToNextElement() {}
    } while nesting.depth > outside
  }

  /// Steps over a scalar, an empty container, or the start of a container up to its first value.
  /// - Returns: whether a value must follow.
  private mutating func skipScalarOrOpen() throws(JSONError) -> Bool {
    switch next {
    case .quote: _ = try skipString()
    case .minus, .zero ... .nine: try skipNumber()
    case .openBrace:
      try open(.object)
      skipWhitespace()
      if next != .closeBrace {
        _ = try skipName()
        return true
      }
      close()
    case .openBracket:
      try open(.array)
      skipWhitespace()
      if next != .closeBracket { return true }
      close()
    case UInt8(ascii: "t"): try skipLiteral("true")
    case UInt8(ascii: "f"): try skipLiteral("false")
    case UInt8(ascii: "n"): try skipLiteral("null")
    default: throw unexpected("a value")
    }
    return false
  }

  /// Behind a value in a container: steps to the next value, or over the container's end.
  /// - Returns: whether a value must follow.
  private mutating func skipToNextElement() throws(JSONError) -> Bool {
    skipWhitespace()
    let isObject = nesting.innermost == .object
    if take(.comma) {
      skipWhitespace()
      if isObject { _ = try skipName() }
      return true
    }
    guard next == (isObject ? .closeBrace : .closeBracket) else {
      throw unexpected(isObject ? "',' or '}'" : "',' or ']'")
    }
    close()
    return false
  }

  private mutating func skipNumber() throws(JSONError) {
    _ = take(.minus)
    if !take(.zero) { try skipDigits() }
    if take(.dot) { try skipDigits() }
    if next | 0x20 == UInt8(ascii: "e") {
      position += 1
      if next == .plus || next == .minus { position += 1 }
      try skipDigits()
    }
  }

  private mutating func skipDigits() throws(JSONError) {
    let start = position
    while (.zero ... .nine) ~= next { position += 1 }
    guard position > start else { throw unexpected("a digit") }
  }

  private mutating func skipLiteral(_ literal: StaticString) throws(JSONError) {
    for index in 0..<literal.utf8CodeUnitCount {
      guard next == literal.utf8Start[index] else { throw unexpected("true, false or null") }
      position += 1
    }
  }

  /// The error that something else than `expected` came at the position.
  package func unexpected(_ expected: String) -> JSONError {
    guard position < bytes.count else {
      return JSONError(.malformed, "the text ends where \(expected) should be", at: position)
    }
    return JSONError(.malformed, "\(Self.describe(bytes[position])) where \(expected) should be", at: position)
  }

  static func describe(_ byte: UInt8) -> String {
    if (0x21...0x7e).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
    if byte == .space { return "a space" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "the byte 0x\(digits.count < 2 ? "0" : "")\(digits)"
  }

  mutating func advance(to position: Int) { self.position = position }
}

package enum JSONContainer: Sendable { case array, object }

/// Which containers are open: a bit for each level, so that it lies on the stack and is never allocated.
private struct Nesting {
  private(set) var depth = 0
  private var objects = SIMD8<UInt64>()

  var innermost: JSONContainer {
    objects[(depth - 1) >> 6] >> UInt64((depth - 1) & 63) & 1 == 1 ? .object : .array
  }

  mutating func open(_ kind: JSONContainer) {
    let bit: UInt64 = 1 << UInt64(depth & 63)
    if kind == .object { objects[depth >> 6] |= bit } else { objects[depth >> 6] &= ~bit }
    depth += 1
  }

  mutating func close() { depth -= 1 }
}
