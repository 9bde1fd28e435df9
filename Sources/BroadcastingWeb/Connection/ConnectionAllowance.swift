//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// How many connections a server may have open, over all of its loops.
package final class ConnectionAllowance: Sendable {
  private struct State {
    var left: Int
    var waiting: [@Sendable () -> Void] = []
  }
  private let state: Lock<State>

  package init(_ count: Int) { state = Lock(State(left: count)) }

  /// Counts a connection that has been accepted. False if it was the last one for now.
  func take() -> Bool {
    state.withLock { state in
      state.left -= 1
      return state.left > 0
    }
  }

  func giveBack() {
    let woken: [@Sendable () -> Void] = state.withLock { state in
      state.left += 1
      guard state.left > 0 else { return [] }
      defer { state.waiting = [] }
      return state.waiting
    }
    for wake in woken { wake() }
  }

  /// Calls `wake` once a connection can be accepted again: at once, if that is so already.
  func whenFree(_ wake: @escaping @Sendable () -> Void) {
    let isFree = state.withLock { state in
      if state.left > 0 { return true }
      state.waiting.append(wake)
      return false
    }
    if isFree { wake() }
  }
}
