//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Where the logs of channels stood that nobody uses any more and whose messages have all gone.
///
/// A channel that is used again goes on there, so that whoever comes back knows what it missed, and that it missed nothing
/// where nothing was published. It keeps the newest channels: some ten thousand, in at most an eighth of the memory for all
/// that waits and is kept. The log of another begins anew.
///
/// They stand in two halves, both of which count there. One that comes again stands in both until the older one goes.
final class HistoryShelf: Sendable {
  /// How many channels fill a half at most. The older half goes when the younger is full.
  static let half = 32_768

  /// How many bytes fill a half. Nothing else could make room for them: what stands here never goes by itself.
  private let halfBytes: Int

  private struct State: Sendable {
    var young: [Channel: MessagePosition] = [:]
    var old: [Channel: MessagePosition] = [:]
    var youngBytes = 0
    var oldBytes = 0
    var hasForgotten = false
  }

  private let state = Lock(State())
  private let budget: MemoryBudget

  init(budget: MemoryBudget) {
    self.budget = budget
    halfBytes = budget.limit / 16
  }

  deinit { budget.add(-state.withLock { $0.youngBytes + $0.oldBytes }) }

  /// Whether it may have had a channel that it does not know any more.
  var hasForgotten: Bool { state.withLock { $0.hasForgotten } }

  func position(of channel: Channel) -> MessagePosition? {
    state.withLock { $0.young[channel] ?? $0.old[channel] }
  }

  func put(_ position: MessagePosition, of channel: Channel) {
    let change = state.withLock { state -> Int in
      let before = state.youngBytes + state.oldBytes
      if state.young.count >= Self.half || state.youngBytes >= halfBytes, !state.young.isEmpty {
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
