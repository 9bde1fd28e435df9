//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingKafka

@Suite("Where topics are read")
struct ReadTableTests {
  private func table(_ ends: [Int64]) -> (ReadTable, slot: Int) {
    var table = ReadTable()
    _ = table.slot(of: "other")
    let slot = table.slot(of: "t")
    table.start(slot, at: ends)
    return (table, slot)
  }

  @Test("a topic keeps its slot, and what comes of one that is not read is old")
  func slots() {
    var (table, slot) = table([5, 0])
    #expect(slot == 1 && table.slot(of: "t") == 1 && table.slot(of: "other") == 0)
    #expect(table.knownSlot(of: "none") == nil && table.name(of: slot) == "t")
    #expect(table.message(slot, 0, 5) == .deliver)
    #expect(table.message(slot, 1, 0) == .deliver)
    #expect(table.message(slot, 2, 0) == .old)
    #expect(table.message(0, 0, 0) == .old)
    #expect(table.message(-1, 0, 0) == .old)
    #expect(table.message(slot, -1, 0) == .old)
    #expect(table.stop(slot) == [])
    #expect(table.message(slot, 0, 6) == .old)
    #expect(table.phase(of: slot) == .stopping)
    table.stopped(slot)
    #expect(table.phase(of: slot) == .off && table.reading.isEmpty)
  }

  @Test("a fence is reached once all partitions are, by records or their ends")
  func fences() {
    var (table, slot) = table([5, 0])
    table.fence([1], slot, [5, 0])
    #expect(table.takeReached() == [1])
    table.fence([2, 3], slot, [6, 0])
    table.fence([4], slot, [7, 3])
    #expect(table.takeReached() == [])
    _ = table.message(slot, 0, 5)
    #expect(table.takeReached() == [2, 3])
    _ = table.message(slot, 0, 6)
    #expect(table.takeReached() == [])
    #expect(table.reached(slot, 1, 3) == .fine)
    #expect(table.takeReached() == [4])
  }

  @Test("the fences of a topic that is read no more are returned, and removed ones are never reached")
  func endedFences() {
    var (table, slot) = table([0])
    table.fence([1], slot, [1])
    table.fence([2], slot, [1])
    table.removeFences([1, 7], slot)
    #expect(table.stop(slot) == [2])
    #expect(table.takeReached() == [])
  }

  @Test("one fence that is removed leaves the others of its batch, and those behind it")
  func removedFences() {
    var (table, slot) = table([0, 0])
    table.fence([1, 2], slot, [1, 0])
    table.fence([3], slot, [1, 1])
    table.removeFences([1], slot)
    _ = table.message(slot, 0, 0)
    #expect(table.takeReached() == [2])
    table.fence([4], slot, [5, 5])
    table.removeFences([3], slot)
    _ = table.reached(slot, 1, 5)
    _ = table.reached(slot, 0, 5)
    #expect(table.takeReached() == [4])
  }

  @Test("a fence knows partitions that were added")
  func fenceOfNewPartitions() {
    var (table, slot) = table([0])
    table.fence([1], slot, [1])
    _ = table.extend(slot, to: 2)
    table.fence([2], slot, [1, 4])
    _ = table.message(slot, 0, 0)
    #expect(table.takeReached() == [1])
    _ = table.message(slot, 1, 3)
    #expect(table.takeReached() == [2])
  }

  @Test("the fences before a log that was made anew, and is shorter, are reached")
  func fenceInReplacedLog() {
    var (table, slot) = table([9])
    table.fence([1], slot, [12])
    table.suspectAll()
    #expect(table.verify(slot, 0, 0..<3, era: table.suspects().era) == .moved(missed: nil))
    #expect(table.takeReached() == [1])
    #expect(table.restart(slot, 0) == 3)
    table.fence([2], slot, [4])
    _ = table.message(slot, 0, 3)
    #expect(table.takeReached() == [2])
  }

  @Test("where reading goes on behind what is missing, the fences before it are reached")
  func fenceBehindGap() {
    var (table, slot) = table([0])
    table.fence([1], slot, [3])
    table.suspectAll()
    let (positions, era) = table.suspects()
    #expect(positions == ["t": [0]])
    #expect(table.verify(slot, 0, 5..<9, era: era) == .moved(missed: 5))
    #expect(table.takeReached() == [1])
    #expect(table.isChecking)
    #expect(table.restart(slot, 0) == 5)
    #expect(!table.isChecking && !table.hasSuspects)
  }

  @Test("new partitions are read from their beginning, each once")
  func newPartitions() {
    var (table, slot) = table([5])
    #expect(table.extend(slot, to: 3) == 1..<3)
    #expect(table.extend(slot, to: 3).count == 0)
    #expect(table.message(slot, 2, 0) == .deliver)
    #expect(table.extend(slot, to: 1).count == 0)
  }

  @Test("one that fails is asked for, the others go on")
  func failed() {
    var (table, slot) = table([5, 5])
    table.failed(slot, 1)
    #expect(table.message(slot, 1, 5) == .old)
    #expect(table.message(slot, 0, 5) == .deliver)
    let (positions, era) = table.suspects()
    #expect(positions == ["t": [6, 5]])
    #expect(table.verify(slot, 0, 0..<9, era: era) == .outdated)
    #expect(table.verify(slot, 1, 0..<9, era: era) == .resume)
    #expect(table.restart(slot, 1) == 5)
  }

  @Test("one that can't be read is asked for, and the others go on; what is left out is waited for by nobody")
  func trouble() {
    var (table, slot) = table([5, 5])
    table.fence([1], slot, [6, 9])
    for times in 1...2 {
      #expect(table.trouble(slot, 1, isLasting: true) == times)
      #expect(table.suspects().positions == ["t": [Int64(times) + 4, 5]])
      #expect(table.message(slot, 0, Int64(times) + 4) == .deliver)
      #expect(table.verify(slot, 1, 0..<7, era: table.suspects().era) == (times == 1 ? .resume : .skipped))
      #expect(table.restart(slot, 1) == (times == 1 ? 5 : 7))
    }
    #expect(table.takeReached() == [1])
    #expect(table.trouble(slot, 2, isLasting: true) == 0)
  }

  @Test("what is held back for long is handed on, also where the place is not known")
  func released() {
    var (table, slot) = table([5, 5])
    #expect(!table.isHoldingUp && table.release().isEmpty)
    table.suspectAll()
    #expect(table.isHoldingUp)
    #expect(table.message(slot, 1, 5) == .old)
    #expect(table.release().map { [$0.slot, $0.partition] } == [[slot, 1]])
    #expect(table.release().isEmpty && !table.isHoldingUp)
    #expect(table.restart(slot, 1) == 5)
    #expect(table.message(slot, 1, 5) == .deliver)
    #expect(table.message(slot, 0, 5) == .deliver)
    #expect(table.hasSuspects)
  }

  @Test("what was stopped for good meanwhile is not started anew")
  func stoppedMeanwhile() {
    var (table, slot) = table([5])
    table.failed(slot, 0)
    #expect(table.verify(slot, 0, 9..<9, era: table.suspects().era) == .moved(missed: 4))
    _ = table.stop(slot)
    #expect(table.restart(slot, 0) == nil)
    #expect(!table.isChecking)
    table.stopped(slot)
    table.start(slot, at: [9])
    #expect(table.restart(slot, 0) == nil)
  }

  @Test("one partition alone can be read")
  func only() {
    var table = ReadTable()
    let slot = table.slot(of: "probes")
    table.start(slot, only: 2, at: 7)
    #expect(table.message(slot, 2, 7) == .deliver)
    #expect(table.message(slot, 1, 7) == .old)
    table.suspectAll()
    let era = table.suspects().era
    #expect(table.verify(slot, 0, 3..<3, era: era) == .outdated)
    #expect(table.verify(slot, 2, 0..<3, era: era) == .moved(missed: nil))
  }
}
