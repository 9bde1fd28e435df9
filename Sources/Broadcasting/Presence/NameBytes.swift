//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension String {
  /// Whether both are the same bytes of UTF-8. `==` takes "é" and "e" with a combining accent for equal.
  @inline(__always)
  func hasSameBytes(as other: String) -> Bool {
    // Where both are contiguous, both closures run and this is one comparison of memory.
    let isEqual = utf8.withContiguousStorageIfAvailable { left in
      other.utf8.withContiguousStorageIfAvailable { left.count == $0.count && left.elementsEqual($0) }
    }
    return isEqual.flatMap { $0 } ?? utf8.elementsEqual(other.utf8)
  }

  @inline(__always)
  func hashBytes(into hasher: inout Hasher) {
    var text = self
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    // No byte of UTF-8 is 0xFF: it ends the text, so that what is hashed next cannot run into it.
    hasher.combine(UInt8.max)
  }
}
