//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// An array of texts in PostgreSQL's binary form (`array_send` and `array_recv` of its source, `utils/adt/arrayfuncs.c`):
/// nothing in it has to be escaped. One dimension, no nulls.
struct TextArray {
  private static let typeText: Int32 = 25
  private static let countPlace = 12

  private(set) var bytes: [UInt8] = []
  private(set) var count = 0

  init() { clear() }

  mutating func clear() {
    bytes.removeAll(keepingCapacity: bytes.capacity <= 4 * 1_024 * 1_024)
    count = 0
    // Dimensions, whether there are nulls, type, length, first index.
    for number in [1, 0, Self.typeText, 0, 1] { append(number) }
  }

  mutating func append(_ text: [UInt8]) { text.withUnsafeBytes { append($0) } }

  mutating func append(_ text: UnsafeRawBufferPointer) {
    append(Int32(text.count))
    bytes.append(contentsOf: text)
    count += 1
  }

  /// Appends an element that was made by ``element(_:)``, for texts that come again and again.
  mutating func append(element: [UInt8]) {
    bytes.append(contentsOf: element)
    count += 1
  }

  static func element(_ text: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: Int32(text.count).bigEndian) { Array($0) } + text
  }

  /// Appends a text that is in two pieces.
  mutating func append(_ head: [UInt8], _ tail: ArraySlice<UInt8>) {
    append(Int32(head.count + tail.count))
    bytes.append(contentsOf: head)
    bytes.append(contentsOf: tail)
    count += 1
  }

  /// Makes the bytes whole.
  mutating func finish() {
    withUnsafeBytes(of: Int32(count).bigEndian) { digits in
      for index in 0..<4 { bytes[Self.countPlace + index] = digits[index] }
    }
  }

  private mutating func append(_ number: Int32) {
    withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
