//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Percent-encoding (RFC 3986 section 2.1), strict: what can't be decoded is refused, never guessed.
package enum PercentEncoding {
  /// The text that these bytes stand for.
  ///
  /// - Parameter plusIsSpace: Whether `+` is a space, as it is in a query but not in a path.
  package static func decode(_ encoded: Substring.UTF8View, plusIsSpace: Bool) throws(HTTPError) -> String {
    guard encoded.contains(where: { $0 == UInt8(ascii: "%") || ($0 == UInt8(ascii: "+") && plusIsSpace) }) else {
      return String(Substring(encoded))
    }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(encoded.count)
    guard append(encoded, to: &decoded, plusIsSpace: plusIsSpace) else {
      throw HTTPError(.malformed, "A % in the request target is not followed by two hexadecimal digits.")
    }
    guard let text = String(validating: decoded, as: UTF8.self) else {
      throw HTTPError(.malformed, "The request target is not UTF-8 once its percent-encoding is undone.")
    }
    return text
  }

  /// Appends the bytes that these stand for, UTF-8 or not.
  ///
  /// - Parameter plusIsSpace: Whether `+` is a space, as it is in a query but not in a path.
  /// - Returns: False for a `%` without two hexadecimal digits behind it.
  package static func append(
    _ encoded: some Collection<UInt8>, to decoded: inout [UInt8], plusIsSpace: Bool
  ) -> Bool {
    var iterator = encoded.makeIterator()
    while let byte = iterator.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = iterator.next().flatMap(ASCII.hexDigit), let low = iterator.next().flatMap(ASCII.hexDigit)
        else { return false }
        decoded.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: decoded.append(ASCII.space)
      default: decoded.append(byte)
      }
    }
    return true
  }

  /// The text with all bytes encoded but those which mean themselves everywhere (RFC 3986 section 2.3).
  package static func encode(_ text: String) -> String {
    if text.utf8.allSatisfy(isUnreserved) { return text }
    var encoded: [UInt8] = []
    encoded.reserveCapacity(text.utf8.count * 3)
    for byte in text.utf8 {
      if isUnreserved(byte) {
        encoded.append(byte)
      } else {
        append(encoded: byte, to: &encoded)
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  /// Appends a byte, encoded.
  package static func append(encoded byte: UInt8, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "%"))
    output.append(hexDigit(byte >> 4))
    output.append(hexDigit(byte & 15))
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      true
    default: false
    }
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
  }
}
