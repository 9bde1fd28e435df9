//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// A loop's memory for what was read of histories and is still on its way to clients.
///
/// It is at most half of what the loop has: clients that ask for long pasts, and take them slowly, must not cost the sockets of
/// others their place.
struct PastMemory: Sendable {
  private let all: MemoryBudget
  private let pasts: MemoryBudget

  init(within all: MemoryBudget) {
    self.all = all
    pasts = MemoryBudget(limit: all.limit / 2)
  }

  /// Adds what a past gained. Returns whether there is no room for it.
  func add(_ bytes: Int) -> Bool {
    let isLoopFull = all.add(bytes)
    return pasts.add(bytes) || isLoopFull
  }

  func remove(_ bytes: Int) {
    all.add(-bytes)
    pasts.add(-bytes)
  }

  /// Counts an answer until it is let go of. Nil where there is no room for it beside others; alone it always has some.
  func lease(_ bytes: Int) -> Lease? {
    let isAlone = pasts.heldBytes == 0
    let lease = Lease(bytes, self)
    return add(bytes) && !isAlone ? nil : lease
  }

  final class Lease: Sendable {
    private let bytes: Int
    private let memory: PastMemory

    fileprivate init(_ bytes: Int, _ memory: PastMemory) {
      self.bytes = bytes
      self.memory = memory
    }

    deinit { memory.remove(bytes) }
  }
}
