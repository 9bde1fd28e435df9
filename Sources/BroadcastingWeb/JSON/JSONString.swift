//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A string that the scanner has gone over and found to be right.
package struct JSONString: Sendable {
  /// The bytes between the quotes.
  package let range: Range<Int>
  /// Whether there are escapes, so that the bytes are not yet the string.
  package let hasEscapes: Bool
}

extension JSONScanner {
  /// Steps over a string, whose opening quote is at the position.
  package mutating func skipString() throws(JSONError) -> JSONString {
    let start = position + 1
    var at = start
    var hasEscapes = false
    while true {
      at = EightBytes.skip(bytes, from: at, to: bytes.count, until: EightBytes.special)
      guard at < bytes.count else { throw JSONError(.malformed, "a string without its closing quote", at: start - 1) }
      let byte = bytes[at]
      switch byte {
      case .quote:
        advance(to: at + 1)
        return JSONString(range: start..<at, hasEscapes: hasEscapes)
      case .backslash:
        hasEscapes = true
        at += try escapeLength(at: at)
      case 0..<0x20:
        throw JSONError(.malformed, "\(Self.describe(byte)) inside a string, where it must be escaped", at: at)
      case 0x80...:
        let length = UTF8Sequence.length(in: bytes, at: at)
        guard length > 0 else { throw JSONError(.malformed, "\(Self.describe(byte)) that is not UTF-8", at: at) }
        at += length
      default:
        at += 1
      }
    }
  }

  /// The text of a string that ``skipString()`` or ``skipName()`` has gone over.
  package func text(of string: JSONString) -> String {
    let raw = UnsafeBufferPointer(rebasing: bytes[string.range])
    guard string.hasEscapes else { return String(decoding: raw, as: UTF8.self) }
    var text: [UInt8] = []
    text.reserveCapacity(raw.count)
    var at = string.range.lowerBound
    while at < string.range.upperBound {
      guard bytes[at] == .backslash else {
        text.append(bytes[at])
        at += 1
        continue
      }
      let (scalar, length) = unescape(at: at)
      text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      at += length
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Whether a string that the scanner has gone over says `expected`, escapes resolved.
  package func string(_ string: JSONString, is expected: StaticString) -> Bool {
    if string.hasEscapes { return text(of: string).utf8.elementsEqual(expected.utf8) }
    return UnsafeBufferPointer(rebasing: bytes[string.range]).elementsEqual(expected.utf8)
  }

  /// Checks the escape which begins at `start`; half a surrogate pair is refused, as no UTF-8 can say it.
  /// - Returns: how many bytes it has, both halves of a pair together.
  private func escapeLength(at start: Int) throws(JSONError) -> Int {
    guard start + 1 < bytes.count else { throw JSONError(.malformed, "a string that ends in an escape", at: start) }
    switch bytes[start + 1] {
    case .quote, .backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 2
    case UInt8(ascii: "u"):
      guard let unit = codeUnit(at: start) else {
        throw JSONError(.malformed, "an escape \\u without four hexadecimal digits", at: start)
      }
      guard UTF16.isSurrogate(unit) else { return 6 }
      guard UTF16.isLeadSurrogate(unit), let second = codeUnit(at: start + 6), UTF16.isTrailSurrogate(second) else {
        throw JSONError(.malformed, "half of a surrogate pair, which is no character", at: start)
      }
      return 12
    default:
      throw JSONError(
        .malformed, "a backslash before \(Self.describe(bytes[start + 1])), which is no escape", at: start)
    }
  }

  /// What the escape at `start`, already checked, stands for, and its length.
  private func unescape(at start: Int) -> (Unicode.Scalar, Int) {
    switch bytes[start + 1] {
    case UInt8(ascii: "b"): return ("\u{8}", 2)
    case UInt8(ascii: "f"): return ("\u{c}", 2)
    case UInt8(ascii: "n"): return ("\n", 2)
    case UInt8(ascii: "r"): return ("\r", 2)
    case UInt8(ascii: "t"): return ("\t", 2)
    case UInt8(ascii: "u"):
      let unit = codeUnit(at: start) ?? 0xfffd
      if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
      let low = UInt32(codeUnit(at: start + 6) ?? 0xdc00)
      return (Unicode.Scalar(0x1_0000 + (UInt32(unit) & 0x3ff) << 10 + low & 0x3ff) ?? "\u{fffd}", 12)
    default: return (Unicode.Scalar(bytes[start + 1]), 2)
    }
  }

  /// The number in `\uXXXX` at `start`; nil when there is no such escape.
  private func codeUnit(at start: Int) -> UInt16? {
    guard start + 6 <= bytes.count, bytes[start] == .backslash, bytes[start + 1] == UInt8(ascii: "u") else {
      return nil
    }
    var unit: UInt16 = 0
    for index in start + 2..<start + 6 {
      guard let digit = ASCII.hexDigit(bytes[index]) else { return nil }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }
}

/// One character beyond ASCII, checked by the table of well-formed sequences (Unicode 3.9, table 3-7; RFC 3629).
enum UTF8Sequence {
  /// - Returns: how many bytes it has, or 0 when it is not well formed.
  static func length(in bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Int {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xbf
    switch bytes[start] {
    case 0xc2...0xdf: length = 2
    case 0xe0: (length, second) = (3, 0xa0...0xbf)
    case 0xed: (length, second) = (3, 0x80...0x9f)
    case 0xe1...0xef: length = 3
    case 0xf0: (length, second) = (4, 0x90...0xbf)
    case 0xf1...0xf3: length = 4
    case 0xf4: (length, second) = (4, 0x80...0x8f)
    default: return 0
    }
    guard start + length <= bytes.count, second ~= bytes[start + 1] else { return 0 }
    for index in start + 2..<start + length where bytes[index] & 0xc0 != 0x80 { return 0 }
    return length
  }
}

extension StaticString {
  fileprivate var utf8: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
