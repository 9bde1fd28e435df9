//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The last messages of a channel, within its policy: without a hole, and all of one epoch.
///
/// They stand in blocks that readers share. Appending and trimming are O(1) for each message. It has no lock: whoever owns
/// it guards it, hands it the time, and adds ``heldBytes`` to the budget; blocks count themselves.
struct HistoryRing: Sendable {
  private struct Slot: Sendable {
    /// Nil in a place that is free.
    var block: HistoryBlock?
    /// When each of its messages was born, in seconds.
    var births: [Int32]
    /// Those in front of it are kept no more, and go with the block.
    var lower = 0
  }

  let policy: HistoryPolicy
  /// Whether this is all that there is of the channel. Otherwise a broker may have more.
  let isTruth: Bool
  private let budget: MemoryBudget
  private let maximumAge: Int

  /// The position before the first message.
  private(set) var base: MessagePosition
  private(set) var count = 0
  /// Payloads and headers.
  private(set) var bytes = 0
  /// Whether nothing in front of ``base`` is kept anywhere.
  private(set) var isWhole: Bool

  // Slots that were freed leave an empty place in front of `first` until half of the array is such.
  private var slots: [Slot] = []
  private var first = 0
  // The newest, which are in no block yet.
  private var tail: [Delivery] = []
  private var tailBirths: [Int32] = []
  private var tailBytes = 0
  private var tailAge = 0
  /// The tail as readers have it, until something is appended to it.
  private var seenTail: HistoryBlock?

  /// - Parameter isWhole: Whether nothing that came before is kept at the broker.
  init(
    _ policy: HistoryPolicy, base: MessagePosition, isTruth: Bool, isWhole: Bool = false, budget: MemoryBudget
  ) {
    self.policy = policy
    self.base = base
    self.isTruth = isTruth
    self.isWhole = isTruth || isWhole
    self.budget = budget
    maximumAge = Int(policy.maximumAge.components.seconds)
  }

  /// The position of the newest message, or ``base`` where there is none.
  var last: MessagePosition { MessagePosition(epoch: base.epoch, offset: base.offset &+ UInt64(count)) }

  /// Where the channel stands, as others are told: here, a log that has had no message yet is at the beginning.
  var head: MessagePosition { isTruth && last.offset == 0 ? .beginning : last }

  /// What the blocks don't count: the bytes that are in none yet.
  var heldBytes: Int { tail.isEmpty ? 0 : tailBytes + HistoryBlock.overhead }

  /// The age and the bytes of each block, the oldest first, for who must choose the oldest of all.
  func visitBlocks(_ body: (_ block: HistoryBlock?, _ age: Int, _ bytes: Int) -> Void) {
    for case let block? in slots[first...].lazy.map(\.block) { body(block, block.age, block.bytes) }
    if !tail.isEmpty { body(nil, tailAge, heldBytes) }
  }
}

// MARK: Keeping

extension HistoryRing {
  /// Appends a message, whose position is the one behind ``last``, and drops what is out of the limits.
  mutating func append(_ message: Message, now: Int) {
    let size = message.bufferedBytes
    // A large one never fills another's block, whose age is that of its first message: it would go with it.
    if !tail.isEmpty, tail.count >= fullMessages || tailBytes + size > fullBytes { seal() }
    seenTail = nil
    if tail.isEmpty {
      tailAge = budget.tick()
      tail.reserveCapacity(min(16, fullMessages))
      tailBirths.reserveCapacity(min(16, fullMessages))
    }
    tail.append(.message(message))
    tailBirths.append(Int32(clamping: now))
    tailBytes += size
    bytes += message.keptBytes
    count += 1
    trim(now: now)
  }

  /// Puts messages in front, as far as they follow each other up to ``base`` and fit the limits.
  ///
  /// - Parameters:
  ///   - ages: How old each is, or nothing where nobody knows.
  ///   - isAll: Whether nothing is kept in front of them.
  mutating func prepend(_ messages: [Message], ages: [Duration] = [], isAll: Bool, now: Int) {
    var from = messages.count
    var position = base
    var (newCount, newBytes) = (count, bytes)
    var isFull = false
    while from > 0, messages[from - 1].position == position, position.offset > 0 {
      let size = messages[from - 1].keptBytes
      isFull = newCount == policy.maximumMessages || newBytes + size > policy.maximumBytes
      if isFull { break }
      from -= 1
      newCount += 1
      newBytes += size
      position.offset -= 1
    }
    // They are older than all that is here, and go before it: nothing behind them could go as long as they stay.
    let age = first < slots.count ? slots[first].block?.age : tail.isEmpty ? nil : tailAge
    var added: [Slot] = []
    for part in HistoryBlock.parts(of: messages[from...].map { .message($0) }) {
      let births = part.range.map { index in
        Int32(clamping: now - (ages.isEmpty ? 0 : Int(clamping: ages[from + index].components.seconds)))
      }
      let block = HistoryBlock(part.deliveries, bytes: part.bytes, age: age ?? budget.tick(), budget: budget)
      added.append(Slot(block: block, births: births))
    }
    slots.replaceSubrange(..<first, with: added)
    first = 0
    (base, count, bytes) = (position, newCount, newBytes)
    if isFull || from == 0 && isAll { isWhole = true }
    trim(now: now)
  }

  /// Forgets all, and goes on behind a position.
  ///
  /// - Parameter isWhole: Whether nothing that came before is kept at the broker.
  mutating func restart(at base: MessagePosition, isWhole: Bool = false) {
    self = HistoryRing(policy, base: base, isTruth: isTruth, isWhole: isWhole, budget: budget)
  }

  /// Drops what is out of the limits.
  mutating func trim(now: Int) {
    while count > policy.maximumMessages || count > 1 && bytes > policy.maximumBytes || isFirstTooOld(now) {
      dropFirst()
      // The broker has the same limits.
      isWhole = true
    }
  }

  /// Frees the blocks up to an age, for the limit of all logs together.
  mutating func drop(upTo age: Int) {
    if !tail.isEmpty, tailAge <= age { seal() }
    let before = count
    while first < slots.count, let block = slots[first].block, block.age <= age { dropFirst() }
    if count < before { isWhole = isTruth }
  }

  private static let copiedBytes = 4_096

  private var fullMessages: Int { min(HistoryBlock.fullMessages, max(1, policy.maximumMessages / 8)) }
  private var fullBytes: Int { min(HistoryBlock.fullBytes, policy.maximumBytes / 8) }

  private func isFirstTooOld(_ now: Int) -> Bool {
    guard count > 0 else { return false }
    let born = first < slots.count ? slots[first].births[slots[first].lower] : tailBirths[0]
    // Both are whole seconds, of which a part may have gone: nothing goes too early.
    return now - Int(born) > maximumAge
  }

  private mutating func dropFirst() {
    if first == slots.count { seal() }
    let lower = slots[first].lower
    if case .message(let message)? = slots[first].block?.deliveries[lower] { bytes -= message.keptBytes }
    count -= 1
    base.offset &+= 1
    guard lower + 1 == slots[first].births.count else {
      slots[first].lower = lower + 1
      return
    }
    slots[first] = Slot(block: nil, births: [])
    first += 1
    if first == slots.count || first > 16 && first > slots.count / 2 {
      slots.removeFirst(first)
      first = 0
    }
  }

  private mutating func seal() {
    guard !tail.isEmpty else { return }
    let block = HistoryBlock(tail, bytes: tailBytes, age: tailAge, budget: budget)
    slots.append(Slot(block: block, births: tailBirths))
    (tail, tailBirths, tailBytes, seenTail) = ([], [], 0, nil)
  }
}

// MARK: Giving

extension HistoryRing {
  /// How many messages are behind a position. Nil where the ring does not hold all of them.
  func count(behind position: MessagePosition) -> Int? {
    guard position.epoch == base.epoch, position.offset >= base.offset, position.offset <= last.offset else {
      return nil
    }
    return Int(last.offset - position.offset)
  }

  /// The newest messages, as parts of blocks.
  mutating func newest(_ wanted: Int) -> [Past.Part] {
    var missing = min(wanted, count)
    guard missing > 0 else { return [] }
    var parts: [Past.Part] = []
    // A short tail is copied when it grows, so that many readers who come one by one don't leave blocks of one message.
    if tail.count > fullMessages / 2 || tailBytes > Self.copiedBytes { seal() }
    if !tail.isEmpty {
      let block = seenTail ?? HistoryBlock(tail, bytes: tailBytes, age: tailAge, budget: budget)
      seenTail = block
      parts.append(Past.Part(block, max(0, tail.count - missing)..<tail.count))
      missing -= parts[0].range.count
    }
    var index = slots.count
    while missing > 0, index > first {
      index -= 1
      let slot = slots[index]
      guard let block = slot.block else { break }
      let end = slot.births.count
      let lower = max(slot.lower, end - missing)
      parts.append(Past.Part(block, lower..<end))
      missing -= end - lower
    }
    parts.reverse()
    return parts
  }
}
