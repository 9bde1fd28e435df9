//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A whole message in one text frame, as it lies in the buffer: nearly all that a server sends. Whatever else there is,
/// ``WebSocketFrameDecoder`` reads, which copies it.
struct PlainFrame {
  /// Of header and payload.
  let length: Int
  let payload: UnsafeRawBufferPointer

  /// Nil when the buffer does not begin with such a frame, or does not hold all of it.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 2, bytes[0] == Self.finalText else { return nil }
    var start = 2
    var size = Int(bytes[1])
    if size == Self.twoByteLength {
      guard bytes.count >= 4 else { return nil }
      start = 4
      size = Int(bytes[2]) << 8 | Int(bytes[3])
      // Not in its shortest form: a fault, which the decoder tells.
      guard size >= Self.twoByteLength else { return nil }
    } else if size > Self.twoByteLength {
      // Longer, or masked.
      return nil
    }
    guard bytes.count >= start + size else { return nil }
    length = start + size
    payload = UnsafeRawBufferPointer(rebasing: bytes[start..<start + size])
  }

  private static let finalText: UInt8 = 0x81
  private static let twoByteLength = 126
}
