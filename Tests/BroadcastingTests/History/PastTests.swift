//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

@Suite("What a reader gets of the past")
struct PastTests {
  let budget = MemoryBudget()

  func past(_ count: Int, missing: Int = 0) -> Past {
    var merge = HistoryMerge("a", after: .init(epoch: 1, offset: 0))
    merge.add((1...count).map { message($0 + missing) })
    return Past(merge, head: merge.end, budget: budget)
  }

  @Test("it comes in pieces within the reader's limits, gaps in their places")
  func pieces() {
    var cursor = PastCursor(past(200, missing: 5))
    #expect(cursor.unreadMessages == 200)
    var read: [Delivery] = []
    var sizes: Set<Int> = []
    while cursor.hasUnread {
      let chunk = cursor.read(maximumMessages: 7, maximumBytes: .max)
      sizes.insert(chunk.range.count)
      #expect(chunk.marks == (read.isEmpty ? 1 : 0))
      read += chunk.elements[chunk.range]
      #expect(cursor.unreadMessages == 201 - read.count)
    }
    #expect(read.first == .gap(Gap(channel: "a", missed: 5, reason: .historyTrimmed)))
    #expect(read.compactMap(\.offset) == Array(6...205))
    #expect(sizes.max() == 7)
  }

  @Test("one delivery is given however large it is")
  func large() {
    var cursor = PastCursor(past(3))
    for offset in 1...3 {
      let chunk = cursor.read(maximumMessages: 10, maximumBytes: 1)
      #expect(chunk.elements[chunk.range].map(\.offset) == [offset])
    }
    #expect(!cursor.hasUnread)
  }

  @Test("for the limit of all its oldest blocks become a gap")
  func dropped() {
    var cursor = PastCursor(past(200))
    _ = cursor.read(maximumMessages: 10, maximumBytes: .max)
    var ages: [Int] = []
    cursor.visitBlocks { ages.append($0.age) }
    cursor.drop(upTo: ages[0] - 1, topic: .channel("a"), budget: budget)
    #expect(cursor.unreadMessages == 190)
    cursor.drop(upTo: ages[0], topic: .channel("a"), budget: budget)
    cursor.drop(upTo: ages[1], topic: .channel("a"), budget: budget)
    let gap = cursor.read(maximumMessages: 10, maximumBytes: .max)
    #expect(
      Array(gap.elements[gap.range])
        == [.gap(Gap(channel: "a", missed: 2 * HistoryBlock.fullMessages - 10, reason: .memoryLimit))])
    let next = cursor.read(maximumMessages: 1, maximumBytes: .max)
    #expect(next.elements[next.range].map(\.offset) == [2 * HistoryBlock.fullMessages + 1])
  }

  @Test("what is appended comes behind all that is left, also where some of that is dropped")
  func appended() {
    for drops in [false, true] {
      var cursor = PastCursor(past(100))
      _ = cursor.read(maximumMessages: 10, maximumBytes: .max)
      for number in 1...3 {
        let more = (1...50).map { Delivery.message(message(50 + 50 * number + $0)) }
        cursor.append(Past.parts(of: more, budget: budget), messages: 50, bytes: 5_000)
      }
      #expect(cursor.appendedMessages == 150 && cursor.appendedBytes == 15_000 && cursor.unreadMessages == 240)
      var ages: [Int] = []
      cursor.visitBlocks { ages.append($0.age) }
      #expect(ages.count == 5 && ages == ages.sorted())
      if drops { cursor.drop(upTo: ages[0], topic: .channel("a"), budget: budget) }
      var read: [Delivery] = []
      while cursor.hasUnread {
        let chunk = cursor.read(maximumMessages: 33, maximumBytes: .max)
        read += chunk.elements[chunk.range]
      }
      let first = drops ? HistoryBlock.fullMessages + 1 : 11
      #expect(read.compactMap(\.offset) == Array(first...250))
      #expect(cursor.isDone && cursor.unreadMessages == 0)
    }
    #expect(budget.heldBytes == 0)
  }

  @Test("it is counted as long as somebody has it")
  func counted() {
    do {
      let cursors = [PastCursor(past(200))]
      let one = budget.heldBytes
      let more = cursors + cursors + cursors
      #expect(budget.heldBytes == one && one > 200 * 64 && more.count == 3)
    }
    #expect(budget.heldBytes == 0)
  }

  func message(_ offset: Int) -> Message {
    Message("m", to: "a", position: .init(epoch: 1, offset: UInt64(offset)))
  }
}
