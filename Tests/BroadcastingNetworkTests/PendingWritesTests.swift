//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CUV
import Testing

@testable import BroadcastingNetwork

struct PendingWritesTests {
  /// What one system call would be given.
  private func offered(_ pending: PendingWrites) -> [UInt8] {
    var bytes: [UInt8] = []
    _ = pending.withBuffers { buffers, count, total in
      for buffer in UnsafeBufferPointer(start: buffers, count: count) {
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: buffer.base, count: Int(buffer.len)))
      }
      #expect(total == bytes.count)
      return 0
    }
    return bytes
  }

  private func pending(_ sizes: [Int]) -> (PendingWrites, [UInt8]) {
    var pending = PendingWrites()
    var all: [UInt8] = []
    for size in sizes {
      let segment = (0..<size).map { UInt8(truncatingIfNeeded: all.count + $0) }
      pending.append(segment)
      all += segment
    }
    return (pending, all)
  }

  @Test("any number of bytes may go at a time", arguments: [1, 2, 3, 5, 7, 100])
  func steps(step: Int) {
    var (pending, all) = pending([3, 0, 1, 10, 2, 2, 40])
    while !all.isEmpty {
      #expect(offered(pending) == all)
      #expect(pending.byteCount == all.count)
      let count = min(step, all.count)
      pending.consume(count)
      all.removeFirst(count)
    }
    #expect(pending.isEmpty)
  }

  @Test("one call is offered 32 segments at most")
  func limit() {
    let (pending, all) = pending(Array(repeating: 2, count: 100))
    #expect(offered(pending) == Array(all.prefix(64)))
  }

  @Test("a copy takes what fits, from where the last write stopped")
  func copy() {
    var (pending, all) = pending([4, 4, 4])
    pending.consume(3)
    all.removeFirst(3)
    var target = [UInt8](repeating: 0, count: 6)
    #expect(target.withUnsafeMutableBytes { pending.copy(to: $0) } == 6)
    #expect(target == Array(all.prefix(6)))
    var large = [UInt8](repeating: 0, count: 20)
    #expect(large.withUnsafeMutableBytes { pending.copy(to: $0) } == 9)
    #expect(Array(large.prefix(9)) == all)
  }

  @Test("a long queue is cut as it goes")
  func long() {
    var (pending, all) = pending(Array(repeating: 3, count: 500))
    while all.count > 10 {
      pending.consume(7)
      all.removeFirst(7)
      #expect(offered(pending) == Array(all.prefix(offered(pending).count)))
    }
  }
}
