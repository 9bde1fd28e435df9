//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The classes of bytes which the grammars of HTTP are made of.
package enum ASCII {
  package static let cr: UInt8 = 13
  package static let lf: UInt8 = 10
  package static let tab: UInt8 = 9
  package static let space: UInt8 = 32

  /// The byte with an ASCII capital made small, others as they are.
  @inline(__always)
  package static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 65 < 26 ? byte | 0x20 : byte
  }

  /// Whether a method or a field name may have this byte: `tchar` of RFC 9110 section 5.6.2.
  @inline(__always)
  package static func isToken(_ byte: UInt8) -> Bool {
    // One bit for each byte below 64 and for each from 64 to 127.
    let low: UInt64 = 0x03FF_6CFA_0000_0000
    let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
    return byte < 128 && ((byte < 64 ? low : high) &>> UInt64(byte & 63)) & 1 == 1
  }

  /// Whether a field value may have this byte: visible characters, space, tab, and bytes from 0x80 on, which are
  /// opaque (RFC 9110 section 5.5).
  @inline(__always)
  package static func isFieldValue(_ byte: UInt8) -> Bool {
    byte >= 32 && byte != 127 || byte == tab
  }

  /// Whether a request target may have this byte: visible ASCII but `#`, since a fragment is never sent (RFC 9110
  /// section 4.2.5). Characters such as `|` are no part of a URI, but browsers send them.
  @inline(__always)
  package static func isTarget(_ byte: UInt8) -> Bool {
    byte > 32 && byte < 127 && byte != UInt8(ascii: "#")
  }

  /// Whether a `Host` may have this byte: `uri-host [ ":" port ]` of RFC 3986 section 3.2.
  @inline(__always)
  package static func isHost(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "%"),
      UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("),
      UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"),
      UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
      true
    default: false
    }
  }

  /// The value of a hexadecimal digit, or nil.
  package static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The bytes without spaces and tabs at both ends.
  package static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var slice = bytes
    while let first = slice.first, first == space || first == tab { slice.removeFirst() }
    while let last = slice.last, last == space || last == tab { slice.removeLast() }
    return slice
  }

  /// Whether the bytes are this text, which has no capitals, without regard to ASCII case.
  package static func isSame(_ bytes: ArraySlice<UInt8>, _ lowercase: StaticString) -> Bool {
    guard bytes.count == lowercase.utf8CodeUnitCount else { return false }
    var expected = lowercase.utf8Start
    for byte in bytes {
      guard lowercased(byte) == expected.pointee else { return false }
      expected += 1
    }
    return true
  }
}
