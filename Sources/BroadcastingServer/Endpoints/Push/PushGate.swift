//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Lets pushes in until the server stops, so that sockets can wait for those that are still to be answered with 200.
///
/// Without it, a push on one loop could be accepted after the sockets of another have got their last message.
final class PushGate: Sendable {
  private struct State {
    var isClosed = false
    var inside = 0
    var waiters: [UnsafeContinuation<Void, Never>] = []

    mutating func takeWaiters() -> [UnsafeContinuation<Void, Never>] {
      guard isClosed, inside == 0 else { return [] }
      defer { waiters = [] }
      return waiters
    }
  }

  private let state = Lock(State())

  /// Runs a push, unless the server stops.
  func pass<Result>(_ push: () async throws -> Result) async throws -> Result {
    guard enter() else { throw RequestError.stopping }
    defer { change { $0.inside -= 1 } }
    return try await push()
  }

  /// Lets nobody in any more.
  func close() { change { $0.isClosed = true } }

  /// Returns when no push can succeed any more; at once while the gate is open.
  // Not inlined: its frame would be a part of one that sleeps with every socket.
  @inline(never)
  func waitForLast() async {
    await withUnsafeContinuation { waiter in
      let mustWait = state.withLock { state in
        guard state.isClosed, state.inside > 0 else { return false }
        state.waiters.append(waiter)
        return true
      }
      if !mustWait { waiter.resume() }
    }
  }

  private func enter() -> Bool {
    state.withLock { state in
      if !state.isClosed { state.inside += 1 }
      return !state.isClosed
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let waiters = state.withLock { state in
      body(&state)
      return state.takeWaiters()
    }
    for waiter in waiters { waiter.resume() }
  }
}
