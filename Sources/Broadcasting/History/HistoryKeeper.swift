//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// Whole seconds since its hub began, as told once in each. Histories know the age of messages by it.
final class HistoryClock: Sendable {
  private let seconds = Atomic<Int>(0)

  var now: Int { seconds.load(ordering: .relaxed) }

  func advance(to now: Int) { seconds.max(now, ordering: .relaxed) }
}

/// Makes what the feeds of channels with a history keep.
final class HistoryKeeper: Sendable {
  let policies: HistoryPolicies
  let clock = HistoryClock()
  /// Whether the histories are here and nowhere else.
  let isTruth: Bool
  private let shelf: HistoryShelf
  private let budget: MemoryBudget

  /// Nil where no channel has a history.
  init?(_ policies: HistoryPolicies, isTruth: Bool, budget: MemoryBudget) {
    if policies.isEmpty, isTruth { return nil }
    self.policies = policies
    self.isTruth = isTruth
    self.budget = budget
    shelf = HistoryShelf(budget: budget)
  }

  /// Nil where the channel has no history.
  func makeHistory(of channel: Channel) -> FeedHistory? {
    // A broker may know the policies, and nobody here.
    let isPolicyKnown = !policies.isEmpty
    guard let policy = isPolicyKnown ? policies.policy(of: channel) : HistoryPolicy(), !channel.isReserved else {
      return nil
    }
    let known = shelf.position(of: channel)
    let base = known ?? (isTruth ? MessagePosition(epoch: Self.makeEpoch(), offset: 0) : .beginning)
    return FeedHistory(
      channel, HistoryRing(policy, base: base, isTruth: isTruth, budget: budget),
      link: isTruth ? nil : HistoryLink(channel, policy, isPolicyKnown: isPolicyKnown),
      hasUnknownPast: isTruth && known == nil && shelf.hasForgotten, clock: clock, budget: budget)
  }

  /// Remembers where a log stood that goes.
  func keep(_ position: MessagePosition, of channel: Channel) {
    if isTruth, position.offset > 0 { shelf.put(position, of: channel) }
  }

  /// JavaScript's numbers hold it, and nobody guesses that of another log.
  private static func makeEpoch() -> UInt64 { UInt64.random(in: 1..<1 << 53) }
}
