//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The bytes that JSON gives a meaning.
extension UInt8 {
  package static let space = UInt8(ascii: " ")
  package static let tab = UInt8(ascii: "\t")
  package static let lineFeed = UInt8(ascii: "\n")
  package static let carriageReturn = UInt8(ascii: "\r")
  package static let quote = UInt8(ascii: "\"")
  package static let backslash = UInt8(ascii: "\\")
  package static let comma = UInt8(ascii: ",")
  package static let colon = UInt8(ascii: ":")
  package static let dot = UInt8(ascii: ".")
  package static let plus = UInt8(ascii: "+")
  package static let minus = UInt8(ascii: "-")
  package static let zero = UInt8(ascii: "0")
  package static let nine = UInt8(ascii: "9")
  package static let openBrace = UInt8(ascii: "{")
  package static let closeBrace = UInt8(ascii: "}")
  package static let openBracket = UInt8(ascii: "[")
  package static let closeBracket = UInt8(ascii: "]")
}

/// Eight bytes of a string looked at as one word. In what is returned the lowest bit that is set belongs to the first
/// byte that asks for a closer look; bits above it may be wrong, since a borrow can run upwards.
enum EightBytes {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = 0x8080_8080_8080_8080

  /// Bytes which JSON strings must escape: quotes, backslashes and controls.
  @inline(__always)
  static func mustEscape(_ word: UInt64) -> UInt64 {
    let control = word &- ones &* 0x20
    let quote = (word ^ ones &* UInt64(UInt8.quote)) &- ones
    let backslash = (word ^ ones &* UInt64(UInt8.backslash)) &- ones
    return (control | quote | backslash) & ~word & highs
  }

  /// The same, and bytes beyond ASCII.
  @inline(__always)
  static func special(_ word: UInt64) -> UInt64 { mustEscape(word) | word & highs }

  /// The first `position` from `start` on whose byte `test` picks; may stop up to seven bytes before `end` without
  /// having looked at the rest, which is for the caller to go through one by one.
  @inline(__always)
  static func skip(
    _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int, until test: (UInt64) -> UInt64
  ) -> Int {
    var position = start
    let raw = UnsafeRawBufferPointer(bytes)
    while end - position >= 8 {
      let found = test(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
      if found != 0 { return position + found.trailingZeroBitCount >> 3 }
      position += 8
    }
    return position
  }
}
