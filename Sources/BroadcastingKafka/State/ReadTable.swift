//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Where the partitions of topics are read, and who waits for what there.
///
/// A topic has a slot, a number that it keeps for as long as the consumer lives. What comes of a slot that is not read, or of
/// an offset that was there already, is old. After a suspicion a partition has its place checked: by what the log has by now,
/// and by the last record that was handed on, which has to be there still.
struct ReadTable {
  enum Phase { case off, reading, stopping }

  /// Those who asked together wait for the same ends.
  fileprivate struct Fence {
    var numbers: [UInt64]
    var ends: [Int64]
  }

  fileprivate struct Slot {
    let name: String
    var phase = Phase.off
    var partitions: [ReadPosition] = []
    /// None ends before the one in front of it, so the first is reached first.
    var fences: [Fence] = []
  }

  private var slots: [Slot] = []
  private var numbers: [String: Int] = [:]
  private var reachedFences: [UInt64] = []
  private var era: UInt64 = 0

  // MARK: Slots

  /// The topic's number, a new one the first time.
  mutating func slot(of name: String) -> Int {
    if let slot = numbers[name] { return slot }
    slots.append(Slot(name: name))
    numbers[name] = slots.count - 1
    return slots.count - 1
  }

  func knownSlot(of name: String) -> Int? { numbers[name] }
  func name(of slot: Int) -> String { slots[slot].name }
  func phase(of slot: Int) -> Phase { slots[slot].phase }
  func partitions(of slot: Int) -> Int { slots[slot].partitions.count }

  /// The topics that are read.
  var reading: [Int] { slots.indices.filter { slots[$0].phase == .reading } }

  /// Reads all partitions, from these offsets.
  mutating func start(_ slot: Int, at offsets: [Int64]) {
    assert(slots[slot].phase == .off)
    slots[slot].phase = .reading
    slots[slot].partitions = offsets.map { ReadPosition(next: $0) }
  }

  /// Reads one partition alone, of which all is handed on at once.
  mutating func start(_ slot: Int, only partition: Int, at offset: Int64) {
    start(slot, at: [])
    slots[slot].partitions = [ReadPosition](repeating: .unread, count: partition)
    slots[slot].partitions.append(ReadPosition(next: offset, holds: false))
  }

  /// Reads partitions that are new from their beginning. Returns them.
  mutating func extend(_ slot: Int, to count: Int) -> Range<Int> {
    let known = slots[slot].partitions.count
    guard slots[slot].phase == .reading, count > known else { return known..<known }
    for _ in known..<count { slots[slot].partitions.append(ReadPosition(next: 0)) }
    return known..<count
  }

  /// Nothing of it is wanted any more. Returns the fences that will not be reached.
  mutating func stop(_ slot: Int) -> [UInt64] {
    guard slots[slot].phase == .reading else { return [] }
    slots[slot].phase = .stopping
    defer { slots[slot].fences = [] }
    return slots[slot].fences.flatMap(\.numbers)
  }

  mutating func stopped(_ slot: Int) {
    assert(slots[slot].phase == .stopping)
    slots[slot].phase = .off
    slots[slot].partitions = []
  }

  private func isRead(_ slot: Int, _ partition: Int32) -> Bool {
    slots.indices.contains(slot) && slots[slot].phase == .reading
      && slots[slot].partitions.indices.contains(Int(partition))
  }

  // MARK: What comes

  mutating func message(_ slot: Int, _ partition: Int32, _ offset: Int64) -> ReadPosition.Verdict {
    guard isRead(slot, partition) else { return .old }
    return slots[slot].message(Int(partition), offset, &reachedFences)
  }

  /// All before `offset` has been read: some of it may have been for nobody.
  mutating func reached(_ slot: Int, _ partition: Int32, _ offset: Int64) -> ReadPosition.End {
    guard isRead(slot, partition) else { return .fine }
    return slots[slot].ended(Int(partition), offset, &reachedFences)
  }

  /// The last record that was handed on.
  mutating func note(_ slot: Int, _ partition: Int32, _ fingerprint: Fingerprint) {
    guard isRead(slot, partition) else { return }
    slots[slot].partitions[Int(partition)].note(fingerprint)
  }

  /// The library can't go on there: all rests until its place is known.
  mutating func failed(_ slot: Int, _ partition: Int32) {
    guard isRead(slot, partition) else { return }
    slots[slot].partitions[Int(partition)].rest()
    suspect(slot, Int(partition))
  }

  /// What comes next of it can't be read: it rests until its place is known. See ``ReadPosition/trouble(isLasting:)``.
  mutating func trouble(_ slot: Int, _ partition: Int32, isLasting: Bool) -> Int {
    guard isRead(slot, partition) else { return 0 }
    let times = slots[slot].partitions[Int(partition)].trouble(isLasting: isLasting)
    if times > 0 { suspect(slot, Int(partition)) }
    return times
  }

  // MARK: Fences

  /// Waits until all partitions have been read up to these ends. Whether they have is in ``takeReached()``.
  mutating func fence(_ numbers: [UInt64], _ slot: Int, _ ends: [Int64]) {
    slots[slot].add(Fence(numbers: numbers, ends: ends))
    slots[slot].lookAtFences(&reachedFences)
  }

  mutating func removeFences(_ numbers: Set<UInt64>, _ slot: Int) {
    for index in slots[slot].fences.indices.reversed() {
      slots[slot].fences[index].numbers.removeAll { numbers.contains($0) }
      if slots[slot].fences[index].numbers.isEmpty { slots[slot].fences.remove(at: index) }
    }
    slots[slot].lookAtFences(&reachedFences)
  }

  mutating func takeReached() -> [UInt64] {
    if reachedFences.isEmpty { return [] }
    defer { reachedFences = [] }
    return reachedFences
  }

  // MARK: Suspicion

  /// Something has happened: each partition's place is to be verified. It keeps the place that it has now for that.
  mutating func suspectAll() {
    era += 1
    for slot in reading {
      for partition in slots[slot].partitions.indices { suspect(slot, partition, isNew: false) }
    }
  }

  private mutating func suspect(_ slot: Int, _ partition: Int, isNew: Bool = true) {
    if isNew { era += 1 }
    slots[slot].partitions[partition].suspect(era)
  }

  /// What is to be verified: of each topic the positions, and what an answer to it is to be given with.
  func suspects() -> (positions: [String: [Int64]], era: UInt64) {
    var positions: [String: [Int64]] = [:]
    for slot in reading {
      let partitions = slots[slot].partitions
      if partitions.contains(where: { $0.isSuspect }) {
        positions[slots[slot].name] = partitions.map(\.suspectedNext)
      }
    }
    return (positions, era)
  }

  /// The log has these offsets, as asked after ``suspects()``.
  mutating func verify(_ slot: Int, _ partition: Int, _ bounds: Range<Int64>, era: UInt64) -> ReadPosition.Verification
  {
    guard isRead(slot, Int32(clamping: partition)) else { return .outdated }
    let verification = slots[slot].partitions[partition].verify(bounds, era)
    switch verification {
    case .moved, .skipped: slots[slot].lowerFences(partition)
    case .fine, .recheck, .resume, .outdated: break
    }
    slots[slot].lookAtFences(&reachedFences)
    return verification
  }

  /// What is held back has waited for long enough. Returns which partitions to stop, and to start anew.
  mutating func release() -> [(slot: Int, partition: Int)] {
    reading.flatMap { slot in
      slots[slot].partitions.indices.filter { slots[slot].partitions[$0].release() }.map { (slot, $0) }
    }
  }

  /// It has stopped. Returns where to start it, unless nobody wants that any more.
  mutating func restart(_ slot: Int, _ partition: Int) -> Int64? {
    guard isRead(slot, Int32(clamping: partition)) else { return nil }
    return slots[slot].partitions[partition].restart()
  }

  /// What was found in place of what ``ReadPosition/Verdict/checks`` had. Returns whether it is the same log; if not, stop it and start
  /// it anew.
  mutating func checked(_ slot: Int, _ partition: Int32, _ found: Fingerprint) -> Bool {
    guard isRead(slot, partition) else { return true }
    let isSame = slots[slot].partitions[Int(partition)].checked(found)
    if !isSame { slots[slot].lowerFences(Int(partition)) }
    slots[slot].lookAtFences(&reachedFences)
    return isSame
  }

  /// Whether there are places that are known not to be verified as yet.
  var isChecking: Bool {
    slots.contains { $0.phase == .reading && $0.partitions.contains { $0.isUnsettled } }
  }

  /// Whether something is held back until its place is known.
  var isHoldingUp: Bool {
    slots.contains { $0.phase == .reading && $0.partitions.contains { $0.isHeldUp } }
  }

  var hasSuspects: Bool {
    slots.contains { $0.phase == .reading && $0.partitions.contains { $0.isSuspect } }
  }
}

extension ReadTable.Slot {
  fileprivate mutating func message(_ index: Int, _ offset: Int64, _ reached: inout [UInt64]) -> ReadPosition.Verdict {
    let verdict = partitions[index].message(offset)
    if verdict == .deliver, partitions[index].isWanted { lookAtFences(&reached) }
    return verdict
  }

  fileprivate mutating func ended(_ index: Int, _ offset: Int64, _ reached: inout [UInt64]) -> ReadPosition.End {
    let end = partitions[index].ended(offset)
    if end == .shorter { lowerFences(index) }
    if end != .fine || partitions[index].isWanted { lookAtFences(&reached) }
    return end
  }

  fileprivate mutating func lookAtFences(_ reached: inout [UInt64]) {
    let passed = fences.prefix { fence in
      zip(fence.ends, partitions).allSatisfy { end, partition in partition.next >= end }
    }
    for fence in passed { reached += fence.numbers }
    fences.removeFirst(passed.count)
    let ends = fences.first?.ends ?? []
    for index in partitions.indices {
      let isAhead = ends.indices.contains(index) && ends[index] > partitions[index].next
      partitions[index].wanted = isAhead ? ends[index] : .max
    }
  }

  fileprivate mutating func add(_ fence: ReadTable.Fence) {
    var fence = fence
    for (index, end) in (fences.last?.ends ?? []).enumerated() {
      if index < fence.ends.count { fence.ends[index] = max(fence.ends[index], end) } else { fence.ends.append(end) }
    }
    fences.append(fence)
  }

  /// A partition goes on at another place: what was to be read before that is in the gap.
  fileprivate mutating func lowerFences(_ partition: Int) {
    let next = partitions[partition].next
    for index in fences.indices where fences[index].ends.indices.contains(partition) {
      fences[index].ends[partition] = min(fences[index].ends[partition], next)
    }
  }
}
