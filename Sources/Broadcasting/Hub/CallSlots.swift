//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Lets so many calls run at once, and one task wait for the next that may.
///
/// The wait has no end of its own: when its task is cancelled so are the calls, its children, and each gives back its slot.
final class CallSlots: Sendable {
  private struct State {
    var free: Int
    // Resumed once: it stays here until `give` takes it out under the lock.
    var waiter: UnsafeContinuation<Void, Never>?

    mutating func take() -> Bool {
      guard free > 0 else { return false }
      free -= 1
      return true
    }
  }

  private let state: Lock<State>

  init(count: Int) { state = Lock(State(free: count)) }

  /// Takes a slot, when one is free.
  func take() async {
    let isTaken = state.withLock { $0.take() }
    if isTaken { return }
    await withUnsafeContinuation { waiter in
      let isTaken = state.withLock { state in
        if state.take() { return true }
        state.waiter = waiter
        return false
      }
      if isTaken { waiter.resume() }
    }
  }

  /// Gives a slot back, to the task that waits if there is one.
  func give() {
    let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
      if state.waiter == nil { state.free += 1 }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }
}
