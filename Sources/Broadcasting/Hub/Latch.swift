//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Lets one task wait until a number of things are done, or until one of them has failed.
///
/// What comes after the first failure, or after the waiting task was cancelled, is ignored.
final class Latch: Sendable {
  private struct State {
    var remaining: Int
    var result: Result<Void, BroadcastError>?
    var waiter: UnsafeContinuation<Result<Void, BroadcastError>, Never>?
  }

  private let state: Lock<State>

  init(count: Int = 1) {
    state = Lock(State(remaining: count, result: count == 0 ? .success(()) : nil))
  }

  func succeed() {
    let resumed = state.withLock { state -> UnsafeContinuation<Result<Void, BroadcastError>, Never>? in
      guard state.result == nil else { return nil }
      state.remaining -= 1
      guard state.remaining == 0 else { return nil }
      state.result = .success(())
      defer { state.waiter = nil }
      return state.waiter
    }
    resumed?.resume(returning: .success(()))
  }

  func fail(_ error: BroadcastError) {
    let resumed = state.withLock { state -> UnsafeContinuation<Result<Void, BroadcastError>, Never>? in
      guard state.result == nil else { return nil }
      state.result = .failure(error)
      defer { state.waiter = nil }
      return state.waiter
    }
    resumed?.resume(returning: .failure(error))
  }

  /// Waits; at most one task may. When that is cancelled, the latch fails with ``BroadcastError/Code/cancelled``.
  func wait() async throws(BroadcastError) {
    // The continuation is resumed once: it is in the state until somebody takes it out under the lock, and whoever finds
    // a result there at once never puts it in.
    let result = await withTaskCancellationHandler {
      await withUnsafeContinuation { (waiter: UnsafeContinuation<Result<Void, BroadcastError>, Never>) in
        let result = state.withLock { state -> Result<Void, BroadcastError>? in
          if state.result == nil { state.waiter = waiter }
          return state.result
        }
        if let result { waiter.resume(returning: result) }
      }
    } onCancel: {
      fail(.cancelled)
    }
    try result.get()
  }
}
