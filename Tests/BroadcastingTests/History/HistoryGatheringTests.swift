//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

private func position(_ offset: UInt64, epoch: UInt64 = 5) -> MessagePosition {
  MessagePosition(epoch: epoch, offset: offset)
}

private func messages(_ offsets: ClosedRange<UInt64>, epoch: UInt64 = 5) -> [Message] {
  offsets.map { Message("\(epoch)-\($0)", to: "c", position: position($0, epoch: epoch)) }
}

@Suite("A past that is read until it meets what arrives")
struct HistoryGatheringTests {
  private let budget = MemoryBudget()

  /// A ring of what has arrived.
  private func ring(_ offsets: ClosedRange<UInt64>, epoch: UInt64 = 5, policy: HistoryPolicy = .init()) -> HistoryRing {
    var ring = HistoryRing(policy, base: position(offsets.lowerBound - 1, epoch: epoch), isTruth: false, budget: budget)
    for message in messages(offsets, epoch: epoch) { ring.append(message, now: 0) }
    return ring
  }

  /// What a reader gets, as texts, and whether that is all it asked for.
  private func given(_ gathering: HistoryGathering, _ ring: HistoryRing) -> ([String], Bool) {
    var ring = ring
    let past = gathering.past(until: ring.last, with: &ring, on: "c", budget: budget)
    return (past.parts.flatMap { $0.deliveries[$0.range].map(text) }, past.recovery.isComplete)
  }

  @Test("what was read beyond the last that arrived is not given: it will arrive")
  func readIsAhead() {
    var gathering = HistoryGathering(.after(position(1)), .init())
    let ring = ring(3...4)
    #expect(!gathering.meets(last: ring.last, base: ring.base))
    gathering.add(HistoryPage(head: position(6), messages: messages(2...6)))
    #expect(gathering.meets(last: ring.last, base: ring.base))
    #expect(given(gathering, ring) == (["5-2", "5-3", "5-4"], true))
  }

  @Test("what arrived beyond what was read comes from the ring, also from before the head that was read")
  func arrivedIsAhead() {
    var gathering = HistoryGathering(.after(position(1)), .init())
    let ring = ring(4...9)
    gathering.add(HistoryPage(head: position(8), messages: messages(2...2), reachesHead: false))
    #expect(!gathering.meets(last: ring.last, base: ring.base))
    #expect(gathering.query == HistoryQuery(.after(position(2))))
    gathering.add(HistoryPage(head: position(8), messages: messages(3...4), reachesHead: false))
    #expect(gathering.meets(last: ring.last, base: ring.base))
    #expect(given(gathering, ring) == ((2...9).map { "5-\($0)" }, true))
  }

  @Test("the newest are counted with what arrived meanwhile")
  func newest() {
    var gathering = HistoryGathering(.last(3), .init())
    gathering.add(HistoryPage(head: position(5), messages: messages(3...5)))
    #expect(given(gathering, ring(6...7)) == (["5-5", "5-6", "5-7"], true))
  }

  @Test("of a newer log, all will arrive; of an older one the rest is asked for, and a border is a gap")
  func epochs() {
    var gathering = HistoryGathering(.after(position(1)), .init())
    gathering.add(HistoryPage(head: position(1, epoch: 9), messages: messages(2...3) + messages(1...1, epoch: 9)))
    let older = ring(3...3)
    #expect(gathering.meets(last: older.last, base: older.base))
    #expect(given(gathering, older) == (["5-2", "5-3"], true))
    let newer = ring(2...2, epoch: 11)
    #expect(!gathering.meets(last: newer.last, base: newer.base))
    gathering.add(HistoryPage(head: position(2, epoch: 11), messages: messages(1...2, epoch: 11)))
    #expect(
      given(gathering, newer)
        == (
          ["5-2", "5-3", "gap:?:historyRestarted", "9-1", "gap:?:historyRestarted", "11-1", "11-2"], false
        ))
  }

  @Test("a history that was deleted says so, and isn't asked for ever")
  func deleted() {
    var gathering = HistoryGathering(.after(position(1)), .init())
    let ring = ring(5...6)
    for _ in 0..<2 {
      gathering.add(HistoryPage(head: .beginning))
      #expect(!gathering.meets(last: ring.last, base: ring.base))
    }
    gathering.add(HistoryPage(head: .beginning))
    #expect(gathering.meets(last: ring.last, base: ring.base))
    #expect(given(gathering, ring) == (["gap:3:historyTrimmed", "5-5", "5-6"], false))
  }

  @Test("it holds no more than is kept by the policy, and a page; what it drops is a gap")
  func bounded() {
    let policy = HistoryPolicy(maximumMessages: 10)
    var gathering = HistoryGathering(.after(position(0)), policy)
    for page in 0..<4 as Range<UInt64> {
      gathering.add(
        HistoryPage(head: position(2_000), messages: messages(page * 256 + 1...page * 256 + 256), reachesHead: false))
    }
    #expect(gathering.messages.count == 266)
    let (given, isComplete) = given(gathering, ring(1_025...1_025, policy: policy))
    #expect(given.first == "gap:758:historyTrimmed" && given.count == 268 && !isComplete)
  }

  @Test("what was read goes in front of the ring, which then knows where the history begins")
  func keeping() {
    var ring = ring(6...7)
    var gathering = HistoryGathering(.last(10), .init())
    gathering.add(HistoryPage(head: position(6), messages: messages(2...6)))
    gathering.keep(in: &ring, now: 0)
    #expect(ring.count == 6 && ring.base == position(1) && ring.isWhole)
    // The rest of an older log is no part of it.
    ring = self.ring(6...7)
    gathering = HistoryGathering(.after(.beginning), .init())
    gathering.add(HistoryPage(head: position(5), messages: messages(1...1, epoch: 3) + messages(3...5)))
    gathering.keep(in: &ring, now: 0)
    #expect(ring.count == 5 && !ring.isWhole)
  }
}
