//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import COpenSSLTLS

/// What OpenSSL has in place of a socket: it reads what came, where it lies, and what it writes is kept record by
/// record.
///
/// OpenSSL's own memory BIO would copy all of it once more each way, and would keep as much memory as it ever needed.
final class TLSBuffers {
  /// Bytes of somebody else, for the duration of one call.
  private var borrowed = UnsafeRawBufferPointer(start: nil, count: 0)
  /// What was left of earlier ones.
  private var kept: [UInt8] = []
  private var keptOffset = 0
  /// Records to send, oldest first.
  private(set) var output: [[UInt8]] = []

  var hasInput: Bool { keptOffset < kept.count || !borrowed.isEmpty }

  /// Lends `bytes` while `body` runs. What it leaves is copied then.
  func lend<Result, Failure: Error>(
    _ bytes: UnsafeRawBufferPointer, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    borrowed = bytes
    defer {
      if !borrowed.isEmpty { kept.append(contentsOf: borrowed) }
      borrowed = UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return try body()
  }

  /// The first bytes of the input, at most `count`.
  func peek(_ count: Int) -> [UInt8] {
    Array((kept[keptOffset...].prefix(count) + borrowed.prefix(count)).prefix(count))
  }

  func clearOutput() { output.removeAll(keepingCapacity: true) }

  fileprivate func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    if keptOffset < kept.count {
      let count = min(target.count, kept.count - keptOffset)
      kept.withUnsafeBytes {
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[keptOffset...].prefix(count)))
      }
      keptOffset += count
      if keptOffset == kept.count {
        kept = []
        keptOffset = 0
      }
      return count
    }
    let part = borrowed.prefix(target.count)
    if part.isEmpty { return 0 }
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
    borrowed = UnsafeRawBufferPointer(rebasing: borrowed.dropFirst(part.count))
    return part.count
  }

  fileprivate func write(_ bytes: UnsafeRawBufferPointer) { output.append(Array(bytes)) }

  /// A BIO on these buffers, which must outlive it. Nil when there is no memory for it.
  func makeBIO() -> OpaquePointer? {
    guard let method = Self.method, let bio = BIO_new(method) else { return nil }
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }

  // Safe: made once, and from then on only read, by any thread.
  private nonisolated(unsafe) static let method: OpaquePointer? = {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "buffers of a loop's stream") else {
      return nil
    }
    BIO_meth_set_read(method) { bio, target, count in
      guard let bio, let target, count > 0, let buffers = tlsBuffers(of: bio) else { return -1 }
      BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
      let taken = buffers.read(into: UnsafeMutableRawBufferPointer(start: target, count: Int(count)))
      if taken > 0 { return Int32(taken) }
      // Nothing is here yet, which is not the end.
      BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
      return -1
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      guard let bio, let bytes, count > 0, let buffers = tlsBuffers(of: bio) else { return -1 }
      buffers.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      return count
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
  }()
}

private func tlsBuffers(of bio: OpaquePointer) -> TLSBuffers? {
  BIO_get_data(bio).map { Unmanaged<TLSBuffers>.fromOpaque($0).takeUnretainedValue() }
}
