//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Counts the renewals that are asked for together, after a lost connection or after refusals.
///
/// It counts calls, not channels that stand again: a call ends, whatever has become of its channel meanwhile. A round whose
/// session is lost never ends; the next session begins one of its own.
final class RenewalRound: Sendable {
  private struct State {
    var remaining: Int
    var renewed = 0
  }

  /// Whether it is of one channel that was lost by itself, or refused.
  let isSingle: Bool
  private let state: Lock<State>

  init(count: Int, isSingle: Bool) {
    self.isSingle = isSingle
    state = Lock(State(remaining: count))
  }

  /// A call has ended. Returns how many channels were renewed, with the last call, unless none was.
  func finish(isRenewed: Bool) -> Int? {
    state.withLock { state in
      state.remaining -= 1
      if isRenewed { state.renewed += 1 }
      return state.remaining == 0 && state.renewed > 0 ? state.renewed : nil
    }
  }
}
