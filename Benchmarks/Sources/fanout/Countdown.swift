//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// Wakes one waiter when a number of parties have arrived, again and again.
///
/// It is part of what is measured, the same for every contender: one atomic addition for each burst and subscriber.
final class Countdown: Sendable {
  private enum State {
    case pending
    case complete
    case waiting(CheckedContinuation<Void, Never>)
  }

  private let parties: Int
  private let arrived = Atomic<Int>(0)
  private let state = Mutex(State.pending)

  init(_ parties: Int) { self.parties = parties }

  func arrive() {
    guard arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == parties else { return }
    arrived.store(0, ordering: .releasing)
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard case .waiting(let waiter) = state else {
        state = .complete
        return nil
      }
      state = .pending
      return waiter
    }
    waiter?.resume()
  }

  /// Returns when all have arrived. Nobody arrives for the next time before this has returned.
  func wait() async {
    await withCheckedContinuation { continuation in
      let isComplete = state.withLock { state in
        if case .complete = state {
          state = .pending
          return true
        }
        state = .waiting(continuation)
        return false
      }
      if isComplete { continuation.resume() }
    }
  }
}
