//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Tells as the bytes arrive whether they are UTF-8 (RFC 3629): a fault is found at its first byte, in whatever pieces
/// the text comes. Surrogates, overlong forms and what is above U+10FFFF are faults.
struct UTF8Validator {
  /// Bytes that the character under way still needs.
  private var missing: UInt8 = 0
  /// What its next byte may be. Only a second byte is ever held to less than 0x80...0xBF.
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xBF

  /// Whether the text may end here, and not inside of a character.
  var isAtBoundary: Bool { missing == 0 }

  /// Takes the next bytes. Once it has said false, it isn't to be used on.
  mutating func accepts(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index < bytes.count {
      if missing == 0 {
        index = bytes.endOfASCII(from: index)
        guard index < bytes.count else { return true }
      }
      guard accepts(bytes[index]) else { return false }
      index += 1
    }
    return true
  }

  @inline(__always)
  private mutating func accepts(_ byte: UInt8) -> Bool {
    if missing > 0 {
      guard byte >= lowest, byte <= highest else { return false }
      lowest = 0x80
      highest = 0xBF
      missing -= 1
      return true
    }
    switch byte {
    case 0..<0x80: return true
    case 0xC2...0xDF: missing = 1
    case 0xE0: (missing, lowest) = (2, 0xA0)
    case 0xE1...0xEC, 0xEE...0xEF: missing = 2
    case 0xED: (missing, highest) = (2, 0x9F)
    case 0xF0: (missing, lowest) = (3, 0x90)
    case 0xF1...0xF3: missing = 3
    case 0xF4: (missing, highest) = (3, 0x8F)
    default: return false
    }
    return true
  }
}

extension UnsafeRawBufferPointer {
  /// The index of the first byte from `start` on that isn't ASCII, or the count.
  @inline(__always)
  fileprivate func endOfASCII(from start: Int) -> Int {
    var index = start
    while count - index >= 16 {
      let word = loadUnaligned(fromByteOffset: index, as: SIMD2<UInt64>.self)
      guard (word.x | word.y) & 0x8080_8080_8080_8080 == 0 else { break }
      index += 16
    }
    while index < count, self[index] < 0x80 { index += 1 }
    return index
  }
}
