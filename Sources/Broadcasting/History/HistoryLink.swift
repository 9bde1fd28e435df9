//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How a channel's history here hangs together with that at the broker.
struct HistoryLink: Sendable {
  /// What is read, and for what.
  enum Answer: Sendable {
    case hole(HistoryPage)
    case past(HistoryPage)
    case failedHole
    case failedPast(BroadcastError)
  }

  enum Question: Sendable {
    /// What was missed.
    case hole(HistoryQuery)
    /// What somebody begins with.
    case past(HistoryQuery)
  }

  var sync: HistorySync
  var gathering: HistoryGathering?
  /// Whether the policy is the broker's too. Otherwise nobody here knows how much is kept there.
  let isPolicyKnown: Bool
  private(set) var filled = 0
  private(set) var unrecorded = 0
  private var nextReport = 1

  init(_ channel: Channel, _ policy: HistoryPolicy, isPolicyKnown: Bool) {
    sync = HistorySync(channel, maximumPages: (isPolicyKnown ? policy : .greatest).maximumPages)
    self.isPolicyKnown = isPolicyKnown
  }

  var heldBytes: Int { sync.heldBytes + (gathering?.bytes ?? 0) }

  /// Counts what a step tells. Returns the messages without a position so far where that is to be told: with the first, and
  /// whenever they have doubled.
  mutating func count(_ step: HistorySync.Step) -> Int? {
    filled += step.filled ?? 0
    guard step.unrecorded > 0 else { return nil }
    unrecorded += step.unrecorded
    guard unrecorded >= nextReport else { return nil }
    while nextReport <= unrecorded { nextReport *= 2 }
    return unrecorded
  }

  /// Nobody reads any more: what comes then begins anew.
  mutating func forget() {
    sync = HistorySync(sync.channel, maximumPages: sync.maximumPages)
    gathering = nil
  }
}

extension HistoryPolicy {
  static let greatest = HistoryPolicy(maximumMessages: greatestMessages, maximumBytes: greatestBytes)

  /// How many pages are read at most, of a history that fills faster than it is read: far more than all that is kept has, also
  /// where pages are half empty because the next message is large.
  var maximumPages: Int { max(64, maximumMessages / 128 + maximumBytes / (512 * 1_024)) }
}

extension FeedHistory {
  /// Puts what was read into the ring, for all who ask later.
  func keep(_ gathering: HistoryGathering) { gathering.keep(in: &ring, now: clock.now) }

  /// What the budget has to know of beside the blocks.
  var heldBytes: Int { ring.heldBytes + (link?.heldBytes ?? 0) }
}
