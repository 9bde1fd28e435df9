//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What is read of a broker's history for those who begin at one place, until it meets what arrives.
///
/// A machine that does nothing itself. It never holds more than is kept by the policy, and a page.
struct HistoryGathering: Sendable {
  let start: SubscriptionStart
  private let policy: HistoryPolicy
  private(set) var messages: [Message] = []
  private var ages: [Duration] = []
  private(set) var bytes = 0
  /// Up to where the history has been read.
  private(set) var end: MessagePosition?
  /// Whether the first of them is the first that is kept.
  private var beginsAtOldest = false
  private var pages = 0
  /// Answers in a row that said nothing new.
  private var repeats = 0

  init(_ start: SubscriptionStart, _ policy: HistoryPolicy) {
    self.start = start
    self.policy = policy
  }

  var query: HistoryQuery { HistoryQuery(end.map { .after($0) } ?? start) }

  mutating func add(_ page: HistoryPage) {
    if end == nil { beginsAtOldest = isAllBefore(page) }
    pages += 1
    messages += page.messages
    ages += page.ages.count == page.messages.count ? page.ages : page.messages.map { _ in .zero }
    bytes += page.messages.reduce(0) { $0 + $1.keptBytes }
    let reached = page.reachesHead ? page.head : page.messages.last?.position ?? page.head
    repeats = reached == end ? repeats + 1 : 0
    end = reached
    // What is over the limits is kept no more at the broker either, or will not be soon.
    var excess = 0
    while messages.count - excess > 1, messages.count - excess > limit || bytes > policy.maximumBytes + 1 << 20 {
      bytes -= messages[excess].keptBytes
      excess += 1
    }
    guard excess > 0 else { return }
    messages.removeFirst(excess)
    ages.removeFirst(excess)
    beginsAtOldest = false
  }

  private var limit: Int {
    if case .last(let count) = start.value { return max(1, count) }
    return policy.maximumMessages + 256
  }

  private func isAllBefore(_ page: HistoryPage) -> Bool {
    switch start.value {
    case .live: false
    case .last(let count): page.reachesHead && page.messages.count < count
    case .after(let position): position == .beginning
    }
  }

  /// Whether what has been read meets what has arrived, so that nothing lies between. Also where more questions would not
  /// help: then there is a gap.
  func meets(last: MessagePosition, base: MessagePosition) -> Bool {
    guard let end else { return false }
    if !end.isBefore(last) || repeats > 1 || pages >= policy.maximumPages { return true }
    return end.epoch == base.epoch && end.offset >= base.offset
  }

  /// What a reader gets who begins there, and then all that arrives behind the last position, at which the ring ends.
  func past(
    until last: MessagePosition, with ring: inout HistoryRing, on channel: Channel, budget: MemoryBudget
  ) -> Past {
    var known: MessagePosition?
    if case .after(let position) = start.value {
      known = position
      // The reader has heard more elsewhere than has arrived here, and the history knows of it.
      if last.isBefore(position), let end, !end.isBefore(position),
        !messages.contains(where: { !position.isBefore($0.position ?? position) })
      {
        let recovery = Recovery(head: position)
        return Past([], recovery, skipThrough: position, budget: budget)
      }
    }
    // All behind the last position arrives.
    var all = messages.filter { message in message.position.map { !last.isBefore($0) } ?? false }
    let met = end.map { last.isBefore($0) ? last : $0 } ?? last
    for part in ring.newest(ring.count(behind: met) ?? ring.count) {
      for case .message(let message) in part.deliveries[part.range] { all.append(message) }
    }
    if case .last(let count) = start.value, all.count > count { all.removeFirst(all.count - count) }
    var merge = HistoryMerge(channel, after: known)
    merge.add(all)
    merge.reach(last)
    return Past(merge, head: last, budget: budget)
  }

  /// Puts what was read into the ring, for all who ask later.
  func keep(in ring: inout HistoryRing, now: Int) {
    let base = ring.base
    let count = messages.count { message in
      guard let position = message.position else { return false }
      return position.epoch == base.epoch && position.offset <= base.offset
    }
    // They stand in front of those that the ring has, behind those of earlier epochs.
    let from = messages.firstIndex { $0.position?.epoch == base.epoch } ?? messages.count
    let range = from..<from + count
    ring.prepend(Array(messages[range]), ages: Array(ages[range]), isAll: beginsAtOldest && from == 0, now: now)
  }
}

extension MessagePosition {
  /// Whether it is the earlier one. Epochs of a broker's log count up.
  func isBefore(_ other: MessagePosition) -> Bool {
    epoch == other.epoch ? offset < other.offset : epoch < other.epoch
  }
}
