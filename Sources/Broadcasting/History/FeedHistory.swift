//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a channel's feed keeps beside the log of those who read it now.
// Sendable: it is made for one feed, which alone touches what changes in it, and does so under its own lock.
final class FeedHistory: @unchecked Sendable {
  /// What a channel costs that is kept without readers, beside its messages.
  private static let overhead = 512

  let channel: Channel
  var ring: HistoryRing
  /// How it hangs together with the history at a broker. Nil where there is none.
  var link: HistoryLink?
  /// Whether the channel may have had a log before, of which nothing is known any more.
  private let hasUnknownPast: Bool
  let clock: HistoryClock
  private let budget: MemoryBudget
  /// What was given last, for all who ask for the same before there is something new.
  private var shared: (start: SubscriptionStart, last: MessagePosition, past: Past)?
  /// Whether its feed has been taken out of the table. Then nothing more can be kept here.
  var hasGone = false

  init(
    _ channel: Channel, _ ring: HistoryRing, link: HistoryLink? = nil, hasUnknownPast: Bool = false,
    clock: HistoryClock, budget: MemoryBudget
  ) {
    self.link = link
    self.channel = channel
    self.ring = ring
    self.hasUnknownPast = hasUnknownPast
    self.clock = clock
    self.budget = budget
    budget.add(Self.overhead)
  }

  deinit { budget.add(-Self.overhead) }

  /// Whether the feed stays without readers.
  var keepsFeed: Bool { ring.isTruth && ring.count > 0 }

  /// Appends a message, whose position is the next one.
  func append(_ message: Message) {
    if shared != nil { shared = nil }
    ring.append(message, now: clock.now)
  }

  /// Drops what is out of the limits.
  func trim() {
    shared = nil
    ring.trim(now: clock.now)
  }

  /// Frees the blocks up to an age.
  func drop(upTo age: Int) {
    shared = nil
    ring.drop(upTo: age)
  }

  /// What a reader gets who begins there, and then all that is behind ``HistoryRing/last``. Nil where the ring does not hold
  /// it, which can be only where it is not the truth.
  func past(for start: SubscriptionStart) -> Past? {
    ring.trim(now: clock.now)
    // Nothing but trimming happens to the ring without a new message, and then the old past still holds what it gave.
    if let shared, shared.start == start, shared.last == ring.last { return shared.past }
    guard let opening = opening(start) else { return nil }
    let parts = (opening.gap.map { [Past.Part($0, budget: budget)] } ?? []) + ring.newest(opening.count)
    let recovery = Recovery(isComplete: opening.gap == nil, messages: opening.count, head: ring.head)
    let past = Past(parts, recovery, budget: budget)
    if start != .live { shared = (start, ring.last, past) }
    return past
  }

  /// A part of what is kept, as far as an answer reaches. Nil as above.
  func history(from start: SubscriptionStart, limit: Int) -> History? {
    ring.trim(now: clock.now)
    guard let opening = opening(start) else { return nil }
    var history = History(
      channel: channel, head: ring.head == .beginning ? nil : ring.head, isComplete: opening.gap == nil)
    var bytes = 0
    for part in ring.newest(opening.count) {
      for case .message(let message) in part.deliveries[part.range] {
        bytes += message.bufferedBytes
        let isFull = history.messages.count >= limit || bytes > History.maximumBytes && !history.messages.isEmpty
        guard !isFull else {
          history.hasMore = true
          return history
        }
        history.messages.append(message)
      }
    }
    return history
  }

  /// How many of the newest messages a start asks for, and the gap before them.
  private func opening(_ start: SubscriptionStart) -> (count: Int, gap: Gap?)? {
    switch start.value {
    case .live:
      return (0, nil)
    case .last(let wanted):
      guard ring.isWhole || ring.count >= min(wanted, ring.policy.maximumMessages) else { return nil }
      return (min(wanted, ring.count), nil)
    case .after(.beginning) where hasUnknownPast:
      return (ring.count, Gap(channel: channel, missed: nil, reason: .historyRestarted))
    case .after(let position):
      if let count = ring.count(behind: position) { return (count, nil) }
      guard ring.isTruth else { return nil }
      return (ring.count, HistoryMerge.gap(on: channel, from: position, to: ring.base))
    }
  }
}
