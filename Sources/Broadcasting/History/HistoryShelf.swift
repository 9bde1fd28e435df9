//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Where the logs of channels stood that nobody uses any more and whose messages have all gone.
///
/// A channel that is used again goes on there, so that whoever comes back knows what it missed, and that it missed nothing
/// where nothing was published. It keeps the newest channels, some ten thousand; the log of another begins anew.
final class HistoryShelf: Sendable {
  /// How many channels fill a half. The older half goes when the younger is full.
  static let half = 32_768

  private struct State: Sendable {
    var young: [Channel: MessagePosition] = [:]
    var old: [Channel: MessagePosition] = [:]
    var youngBytes = 0
    var oldBytes = 0
    var hasForgotten = false
  }

  private let state = Lock(State())
  private let budget: MemoryBudget

  init(budget: MemoryBudget) { self.budget = budget }

  deinit { budget.add(-state.withLock { $0.youngBytes + $0.oldBytes }) }

  /// Whether it may have had a channel that it does not know any more.
  var hasForgotten: Bool { state.withLock { $0.hasForgotten } }

  func position(of channel: Channel) -> MessagePosition? {
    state.withLock { $0.young[channel] ?? $0.old[channel] }
  }

  func put(_ position: MessagePosition, of channel: Channel) {
    let change = state.withLock { state -> Int in
      let before = state.youngBytes + state.oldBytes
      if state.young.count >= Self.half {
        state.hasForgotten = state.hasForgotten || !state.old.isEmpty
        (state.old, state.oldBytes) = (state.young, state.youngBytes)
        (state.young, state.youngBytes) = ([:], 0)
      }
      if state.young.updateValue(position, forKey: channel) == nil { state.youngBytes += 64 + channel.name.utf8.count }
      return state.youngBytes + state.oldBytes - before
    }
    budget.add(change)
  }
}
