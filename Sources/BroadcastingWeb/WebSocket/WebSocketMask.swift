//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The masking of what clients send (RFC 6455 section 5.3): each byte is combined with one of four in turn.
struct WebSocketMask: Sendable {
  /// The four bytes in the order of the wire, turned so that the first one belongs to the next byte of the payload.
  private var key: (UInt8, UInt8, UInt8, UInt8)

  init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
    key = (first, second, third, fourth)
  }

  /// The key as a client chooses it: four bytes that nobody can foresee.
  init(using generator: inout some RandomNumberGenerator) {
    let random: UInt32 = generator.next()
    key = (
      UInt8(truncatingIfNeeded: random), UInt8(truncatingIfNeeded: random >> 8),
      UInt8(truncatingIfNeeded: random >> 16), UInt8(truncatingIfNeeded: random >> 24)
    )
  }

  var bytes: [UInt8] { [key.0, key.1, key.2, key.3] }

  /// Writes the next bytes of the payload, masked or unmasked, behind `output`'s end.
  mutating func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    let start = output.count
    output.append(contentsOf: bytes)
    output.withUnsafeMutableBytes { apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
  }

  /// Masks or unmasks the next bytes of the payload where they are.
  mutating func apply(to bytes: UnsafeMutableRawBufferPointer) {
    let k = key
    let word = SIMD16<UInt8>(
      k.0, k.1, k.2, k.3, k.0, k.1, k.2, k.3, k.0, k.1, k.2, k.3, k.0, k.1, k.2, k.3)
    var index = 0
    while bytes.count - index >= 16 {
      let masked = bytes.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
      bytes.storeBytes(of: masked ^ word, toByteOffset: index, as: SIMD16<UInt8>.self)
      index += 16
    }
    while index < bytes.count {
      bytes[index] ^= word[index & 3]
      index += 1
    }
    let turn = bytes.count & 3
    key = (word[turn], word[turn + 1], word[turn + 2], word[turn + 3])
  }
}
