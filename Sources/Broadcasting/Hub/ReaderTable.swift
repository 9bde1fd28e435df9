//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The readers of one channel: where each stands, how far it may be behind, and who sleeps until something comes.
///
/// Every step is O(1), however many readers there are, but for finding the widest limits anew when the last reader with
/// some limits leaves.
struct ReaderTable: Sendable {
  struct Reader: Sendable {
    var cursor: LogCursor
    var limits: LogLimits
    /// Nil in a place that is free.
    var core: SubscriptionCore?
    /// Whether its subscription stood already. A gap that is told while it does not is not its own.
    var isConfirmed: Bool
    /// What it gets before all that is in the log.
    var past: PastCursor?
    /// Its place among the sleepers, which is only valid in the round in which it was noted.
    var sleeperIndex = 0
    var sleeperRound = -1
  }

  struct Sleeper: Sendable {
    var core: SubscriptionCore
    var slot: Int
  }

  private(set) var readers: [Reader] = []
  private var freeSlots: [Int] = []
  private var sleepers: [Sleeper] = []
  private var round = 0
  private var users: [LogLimits: Int] = [:]
  /// The widest limits of all readers, within which the log has to be kept.
  private(set) var widest = LogLimits(maximumMessages: 0, maximumBytes: 0)

  var count: Int { readers.count - freeSlots.count }
  var cores: [SubscriptionCore] { readers.compactMap(\.core) }

  /// Whether the slot is still that subscription's: it may have left since, and somebody else may have come.
  func holds(_ slot: Int, for core: SubscriptionCore) -> Bool {
    slot < readers.count && readers[slot].core === core
  }

  subscript(slot: Int) -> Reader {
    _read { yield readers[slot] }
    _modify { yield &readers[slot] }
  }

  mutating func insert(_ reader: Reader) -> Int {
    users[reader.limits, default: 0] += 1
    widest.widen(to: reader.limits)
    if let slot = freeSlots.popLast() {
      readers[slot] = reader
      return slot
    }
    readers.append(reader)
    return readers.count - 1
  }

  mutating func remove(_ slot: Int) {
    wakeNot(slot)
    let limits = readers[slot].limits
    readers[slot].core = nil
    readers[slot].past = nil
    freeSlots.append(slot)
    if count == 0 {
      readers = []
      freeSlots = []
    }
    guard let same = users[limits] else { return }
    guard same == 1 else {
      users[limits] = same - 1
      return
    }
    users[limits] = nil
    widest = LogLimits(maximumMessages: 0, maximumBytes: 0)
    for other in users.keys { widest.widen(to: other) }
  }

  // MARK: Sleeping

  /// Has the reader woken with the next append.
  mutating func sleep(_ slot: Int) {
    guard readers[slot].sleeperRound != round, let core = readers[slot].core else { return }
    readers[slot].sleeperRound = round
    readers[slot].sleeperIndex = sleepers.count
    sleepers.append(Sleeper(core: core, slot: slot))
  }

  /// Takes out all who sleep.
  mutating func takeSleepers() -> [Sleeper] {
    guard !sleepers.isEmpty else { return [] }
    round += 1
    defer { sleepers = [] }
    return sleepers
  }

  private mutating func wakeNot(_ slot: Int) {
    guard readers[slot].sleeperRound == round else { return }
    let index = readers[slot].sleeperIndex
    let last = sleepers.removeLast()
    if index < sleepers.count {
      sleepers[index] = last
      readers[last.slot].sleeperIndex = index
    }
    readers[slot].sleeperRound = -1
  }
}
