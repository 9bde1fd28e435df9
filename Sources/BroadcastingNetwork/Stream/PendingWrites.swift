//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CUV

/// What a stream still has to write: whole arrays by reference, and how far the first has gone.
struct PendingWrites {
  /// Arrays for one system call. The kernel's own limit is 1,024 (IOV_MAX).
  static let segmentsPerCall = 32

  private var segments: [[UInt8]] = []
  private var first = 0
  private var offset = 0
  private(set) var byteCount = 0

  var isEmpty: Bool { byteCount == 0 }

  mutating func append(_ bytes: [UInt8]) {
    if bytes.isEmpty { return }
    segments.append(bytes)
    byteCount += bytes.count
  }

  /// The first `count` bytes have gone.
  mutating func consume(_ count: Int) {
    byteCount -= count
    if byteCount == 0 {
      // The room goes too: an idle stream holds nothing.
      self = PendingWrites()
      return
    }
    offset += count
    while offset >= segments[first].count {
      offset -= segments[first].count
      segments[first] = []
      first += 1
    }
    if first > 64, first > segments.count / 2 {
      segments.removeFirst(first)
      first = 0
    }
  }

  /// Copies bytes from the front until `target` is full or all are copied, and gives back how many.
  func copy(to target: UnsafeMutableRawBufferPointer) -> Int {
    var copied = 0
    var skipped = offset
    for segment in segments[first...] {
      segment.withUnsafeBytes { bytes in
        let part = bytes.dropFirst(skipped).prefix(target.count - copied)
        UnsafeMutableRawBufferPointer(rebasing: target[copied...]).copyBytes(from: part)
        copied += part.count
      }
      skipped = 0
      if copied == target.count { break }
    }
    return copied
  }

  /// Calls `body` with the front as buffers for one system call, and with the bytes in them.
  func withBuffers(_ body: (UnsafePointer<uv_buf_t>, _ count: Int, _ bytes: Int) -> Int) -> Int {
    withUnsafeTemporaryAllocation(of: uv_buf_t.self, capacity: Self.segmentsPerCall) { buffers in
      var bytes = 0
      func gather(_ index: Int, _ count: Int) -> Int {
        guard index < segments.count, count < buffers.count else {
          guard count > 0, let start = buffers.baseAddress else { return 0 }
          return body(start, count, bytes)
        }
        // Nested, for each pointer is good inside its closure alone.
        return segments[index].withUnsafeBytes { segment in
          let rest = UnsafeRawBufferPointer(rebasing: segment[(index == first ? offset : 0)...])
          if rest.isEmpty { return gather(index + 1, count) }
          buffers.initializeElement(at: count, to: uv_buf_t(rest))
          bytes += rest.count
          return gather(index + 1, count + 1)
        }
      }
      return gather(first, 0)
    }
  }
}

extension uv_buf_t {
  /// Libuv's buffers are for reading too, hence mutable; a write does not touch them.
  init(_ bytes: UnsafeRawBufferPointer) {
    let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
    self = uv_buf_init(start?.assumingMemoryBound(to: CChar.self), UInt32(clamping: bytes.count))
  }
}
