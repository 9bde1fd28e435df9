//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Remembers what a transaction sends, by hashes: PostgreSQL sends equal notifications of one transaction only once.
///
/// Two that differ and have the same hash are taken for equal, which costs a transaction and no message.
struct SentTable {
  static let capacity = 2_048
  private static let mask = 8_191

  /// Zero is an empty place.
  private var places = [UInt64](repeating: 0, count: mask + 1)
  private var used: [Int] = []
  private let seed = UInt64.random(in: .min ... .max)

  init() { used.reserveCapacity(Self.capacity) }

  mutating func clear() {
    for place in used { places[place] = 0 }
    used.removeAll(keepingCapacity: true)
  }

  /// Returns false for what is there already, and when the table is full.
  mutating func insert(_ name: [UInt8], _ text: UnsafeRawBufferPointer) -> Bool {
    guard used.count < Self.capacity else { return false }
    let hash = Self.hash(text, name.withUnsafeBytes { Self.hash($0, seed) }) | 1
    var place = Int(truncatingIfNeeded: hash >> 32) & Self.mask
    while places[place] != 0 {
      if places[place] == hash { return false }
      place = (place + 1) & Self.mask
    }
    places[place] = hash
    used.append(place)
    return true
  }

  /// Sixteen bytes at a time; the standard library's hash takes longer than all else that is done for a short message.
  private static func hash(_ bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
    var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count)
    var index = 0
    while index + 16 <= bytes.count {
      let first = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let second = bytes.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self)
      hash = mix(hash ^ first, second ^ 0x9E37_79B9_7F4A_7C15)
      index += 16
    }
    var rest: (UInt64, UInt64) = (0, 0)
    for byte in bytes[index...] { rest = (rest.0 << 8 | UInt64(byte), rest.1 << 8 | rest.0 >> 56) }
    return mix(hash ^ rest.0, rest.1 ^ 0xD6E8_FEB8_6659_FD93)
  }

  private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
