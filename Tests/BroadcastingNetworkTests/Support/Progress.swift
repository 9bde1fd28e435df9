//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@testable import BroadcastingNetwork

/// Counts, and wakes who waits for a number.
actor Progress {
  private let target: Int
  private(set) var count = 0
  private var waiter: CheckedContinuation<Void, Never>?

  init(target: Int) { self.target = target }

  func step() {
    count += 1
    if count == target { waiter.take()?.resume() }
  }

  func reached() async { if count < target { await withCheckedContinuation { waiter = $0 } } }
}

/// Looks at a loop from inside.
actor Count {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  init(loop: EventLoop) { self.loop = loop }

  /// Handles that are open or closing, once the closing ones have had their turn.
  var handles: Int {
    get async {
      // A way there and back over another thread lets the loop go round; a close takes one or two rounds.
      for _ in 0..<1000 where loop.handleCount > 0 { await Task.detached {}.value }
      return loop.handleCount
    }
  }
}
