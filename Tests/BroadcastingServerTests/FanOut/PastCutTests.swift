//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingServer

@Suite("What of a history is the past of a socket")
struct PastCutTests {
  private static func at(_ offset: UInt64, epoch: UInt64 = 7) -> MessagePosition {
    MessagePosition(epoch: epoch, offset: offset)
  }

  private static func take(_ cut: inout PastCut, _ offsets: [UInt64]) -> [UInt64] {
    offsets.filter { cut.take(at($0)) }
  }

  @Test("what the feed gives too is cut off")
  func cutsAtFeed() {
    var cut = PastCut(.after(Self.at(3)), through: Self.at(6))
    #expect(Self.take(&cut, [4, 5, 6, 7, 8]) == [4, 5, 6])
    #expect(cut.isAtEnd && cut.isComplete)
  }

  @Test("who has all needs no history")
  func nothingToRead() {
    #expect(PastCut(.after(Self.at(6)), through: Self.at(6)).isAtEnd)
    #expect(PastCut(.after(Self.at(6)), through: Self.at(6)).isComplete)
    #expect(PastCut(.last(0), through: Self.at(6)).isAtEnd)
    #expect(PastCut(.last(0), through: Self.at(6)).isComplete)
    #expect(PastCut(.after(.beginning), through: .beginning).isComplete)
  }

  @Test("a hole after the position is told, wherever it is")
  func holes() {
    for offsets: [UInt64] in [[5, 6], [4, 6], [4, 5], [], [7, 8]] {
      var cut = PastCut(.after(Self.at(3)), through: Self.at(6))
      _ = Self.take(&cut, offsets)
      #expect(!cut.isComplete, "\(offsets)")
    }
  }

  @Test("of the newest, fewer are complete, and such as come by the feed are no hole")
  func newest() {
    for offsets: [UInt64] in [[5, 6], [6], [6, 7], [7, 8], []] {
      var cut = PastCut(.last(2), through: Self.at(6))
      _ = Self.take(&cut, offsets)
      #expect(cut.isComplete, "\(offsets)")
    }
    for offsets: [UInt64] in [[4, 6], [4, 5]] {
      var cut = PastCut(.last(2), through: Self.at(6))
      _ = Self.take(&cut, offsets)
      #expect(!cut.isComplete, "\(offsets)")
    }
  }

  @Test("from the beginning all from the first on is complete")
  func fromBeginning() {
    var cut = PastCut(.after(.beginning), through: Self.at(3))
    #expect(Self.take(&cut, [1, 2, 3]) == [1, 2, 3])
    #expect(cut.isComplete)
    cut = PastCut(.after(.beginning), through: Self.at(3))
    #expect(Self.take(&cut, [2, 3]) == [2, 3])
    #expect(!cut.isComplete)
  }

  @Test("messages of an earlier epoch belong to the past, with a hole at the border; those of a later one don't")
  func epochs() {
    var cut = PastCut(.last(9), through: Self.at(2))
    #expect(cut.take(Self.at(5, epoch: 6)) && cut.take(Self.at(1)) && cut.take(Self.at(2)))
    #expect(!cut.isComplete)
    cut = PastCut(.after(Self.at(2, epoch: 6)), through: Self.at(2))
    #expect(cut.take(Self.at(1)) && cut.take(Self.at(2)) && !cut.isComplete)
    cut = PastCut(.last(9), through: Self.at(2))
    #expect(!cut.take(Self.at(1, epoch: 8)) && cut.isAtEnd)
  }

  @Test("a position is ahead only in the same epoch")
  func ahead() {
    #expect(PastCut(.after(Self.at(7)), through: Self.at(6)).isAhead)
    #expect(!PastCut(.after(Self.at(6)), through: Self.at(6)).isAhead)
    #expect(!PastCut(.after(Self.at(7, epoch: 8)), through: Self.at(6)).isAhead)
    #expect(!PastCut(.last(9), through: Self.at(6)).isAhead)
  }

  @Test("a history that lags is behind until it has given all")
  func lags() {
    var cut = PastCut(.after(Self.at(3)), through: Self.at(6))
    _ = Self.take(&cut, [4, 5])
    #expect(cut.isBehind(Self.at(5)) && cut.isBehind(nil) && !cut.isBehind(Self.at(6)))
    // Asked again from the last that was given, or from where it began, nothing is given twice.
    #expect(Self.take(&cut, [5, 6]) == [6])
    #expect(!cut.isBehind(Self.at(5)) && cut.isComplete)
  }

  @Test("past and feed together are the log from the start on, wherever both begin")
  func joins() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<2_000 {
      let head = UInt64.random(in: 0...40, using: &random)
      let through = UInt64.random(in: 0...head, using: &random)
      let base = UInt64.random(in: 0...head, using: &random)
      let begin = through == 0 ? MessagePosition.beginning : Self.at(through)
      let kept = Array((0...head).filter { $0 > base })
      let feed = (0...head).filter { $0 > through }

      let start = UInt64.random(in: 0...through, using: &random)
      var cut = PastCut(.after(start == 0 ? .beginning : Self.at(start)), through: begin)
      let all = Self.take(&cut, kept.filter { $0 > start }) + feed
      let whole = (0...head).filter { $0 > start }
      #expect(cut.isComplete == (all == whole), "\(head) \(through) \(base) \(start): \(all)")

      let count = Int.random(in: 0...20, using: &random)
      cut = PastCut(.last(count), through: begin)
      let last = (cut.isAtEnd ? [] : Self.take(&cut, kept.suffix(count))) + feed
      #expect(last == Array((last.first ?? head + 1)..<(head + 1)))
      #expect(last.count >= min(count, kept.count) && cut.isComplete)
    }
  }
}
