//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A state, or changes, that sockets get before what their log has. It counts in its loop's memory for as long as one of them
/// still has to get it.
final class LiveFrames {
  let batches: [[UInt8]]
  private let bytes: Int
  private let memory: PastMemory

  /// Nil where there is no memory for it.
  init?(_ batches: [[UInt8]], in memory: PastMemory) {
    self.batches = batches
    self.memory = memory
    bytes = batches.reduce(0) { $0 + $1.count }
    if memory.add(bytes) {
      memory.remove(bytes)
      return nil
    }
  }

  deinit { memory.remove(bytes) }
}
