//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingKafka

@Suite("Where a partition is read")
struct ReadPositionTests {
  @Test("what was read is old, and what was left out in between is no matter")
  func offsets() {
    var position = ReadPosition(next: 5)
    #expect(position.message(4) == .old)
    #expect(position.message(5) == .deliver)
    #expect(position.message(5) == .old)
    #expect(position.message(9) == .deliver)
    #expect(position.next == 10)
    #expect(position.ended(12) == .fine)
    #expect(position.next == 12)
    #expect(position.ended(11) == .fine)
    #expect(position.next == 12)
  }

  @Test("a log that has what was read is fine, once the last record is found to be the same")
  func same() {
    var position = position(upTo: 10)
    position.suspect(1)
    #expect(position.verify(0..<20, 1) == .recheck)
    #expect(position.isUnsettled)
    // What comes before it has stopped is read once more.
    #expect(position.message(10) == .old)
    #expect(position.restart() == 9)
    #expect(position.message(8) == .old)
    #expect(position.message(9) == .checks)
    #expect(position.checked(fingerprint(9)) == true)
    #expect(!position.isUnsettled)
    #expect(position.message(10) == .deliver)
    #expect(position.message(11) == .deliver)
  }

  @Test("another record at the last one's offset is another log: it goes on at the end")
  func replaced() {
    var position = position(upTo: 10)
    position.suspect(1)
    #expect(position.verify(0..<20, 1) == .recheck)
    #expect(position.restart() == 9)
    #expect(position.message(9) == .checks)
    #expect(position.checked(fingerprint(9, 1)) == false)
    #expect(position.message(10) == .old)
    #expect(position.restart() == 20)
    #expect(position.message(19) == .old)
    #expect(position.message(20) == .deliver)
  }

  @Test("what was read of the new log before that was known is not read twice")
  func readMeanwhile() {
    var position = position(upTo: 10, holds: false)
    position.suspect(1)
    for offset in Int64(10)..<30 { #expect(position.message(offset) == .deliver) }
    // The last record from before the suspicion counts, not one of the new log.
    position.note(fingerprint(29, 1))
    #expect(position.verify(0..<25, 1) == .recheck)
    #expect(position.restart() == 9)
    #expect(position.message(9) == .checks)
    #expect(position.checked(fingerprint(9, 1)) == false)
    #expect(position.restart() == 30)
  }

  @Test("a log that ends before what was read is another one")
  func shorter() {
    var position = position(upTo: 10)
    position.suspect(1)
    #expect(position.verify(0..<4, 1) == .moved(missed: nil))
    #expect(position.message(4) == .old)
    #expect(position.restart() == 4)
    #expect(position.message(4) == .deliver)
  }

  @Test("of a log that ends before what was read, nothing that has been read since is read again")
  func shorterAndReadMeanwhile() {
    var position = position(upTo: 10, holds: false)
    position.suspect(1)
    #expect(position.message(12) == .deliver)
    #expect(position.verify(0..<4, 1) == .moved(missed: nil))
    #expect(position.restart() == 13)
  }

  @Test("a log that ends before the last record, when that is asked for, is another one")
  func shorterLater() {
    var position = position(upTo: 10)
    position.suspect(1)
    #expect(position.verify(0..<10, 1) == .recheck)
    #expect(position.restart() == 9)
    #expect(position.ended(3) == .shorter)
    #expect(position.restart() == 10)
  }

  @Test("retention that was faster is counted")
  func overtaken() {
    var position = position(upTo: 10)
    position.suspect(1)
    #expect(position.verify(25..<40, 1) == .moved(missed: 15))
    #expect(position.restart() == 25)
  }

  @Test("retention of all that was read, and no more, loses nothing")
  func justExpired() {
    var position = position(upTo: 10)
    position.suspect(1)
    #expect(position.verify(10..<40, 1) == .fine)
    #expect(position.message(10) == .deliver)
  }

  @Test("where the last record is not there nobody knows what is missing, and it goes on", arguments: [false, true])
  func jumped(byEnd: Bool) {
    var position = position(upTo: 10)
    position.suspect(1)
    #expect(position.verify(0..<20, 1) == .recheck)
    #expect(position.restart() == 9)
    if byEnd {
      #expect(position.ended(14) == .jumps)
    } else {
      #expect(position.message(13) == .jumps)
      #expect(position.message(13) == .deliver)
    }
    #expect(!position.isUnsettled)
    #expect(position.next == 14)
    // It is told once.
    position.suspect(2)
    #expect(position.verify(0..<20, 2) == .fine)
  }

  @Test("what was read already is not read again where the last record is not there")
  func jumpedInFront() {
    var position = position(upTo: 10, holds: false)
    position.suspect(1)
    for offset in Int64(10)..<30 { #expect(position.message(offset) == .deliver) }
    #expect(position.verify(0..<40, 1) == .recheck)
    #expect(position.restart() == 9)
    #expect(position.message(20) == .jumps)
    #expect(position.message(20) == .old)
    #expect(position.message(30) == .deliver)
  }

  @Test("after an error in range it goes on where it was")
  func resumed() {
    var fresh = ReadPosition(next: 5)
    fresh.rest()
    fresh.suspect(1)
    #expect(fresh.message(5) == .old)
    #expect(fresh.verify(0..<9, 1) == .resume)
    #expect(fresh.restart() == 5)
    #expect(fresh.message(5) == .deliver)
    var used = position(upTo: 5)
    used.rest()
    used.suspect(1)
    #expect(used.verify(0..<9, 1) == .recheck)
    #expect(used.restart() == 4)
  }

  @Test("an answer from before the suspicion counts for nothing")
  func outdated() {
    var position = position(upTo: 10)
    #expect(position.verify(0..<4, 1) == .outdated)
    position.suspect(2)
    #expect(position.verify(0..<4, 1) == .outdated)
    #expect(position.isSuspect)
    #expect(position.verify(0..<4, 2) == .moved(missed: nil))
  }

  @Test("a second suspicion keeps what was known at the first")
  func suspectedTwice() {
    var position = position(upTo: 10, holds: false)
    position.suspect(1)
    #expect(position.message(10) == .deliver)
    position.note(fingerprint(10, 5))
    position.suspect(2)
    #expect(position.suspectedNext == 10)
    #expect(position.verify(0..<20, 2) == .recheck)
    #expect(position.restart() == 9)
    // And one that comes while it is compared expects the same record.
    position.suspect(3)
    #expect(position.verify(0..<20, 3) == .recheck)
    #expect(position.restart() == 9)
    #expect(position.message(9) == .checks)
    #expect(position.checked(fingerprint(9)) == true)
  }

  @Test("while it is stopped for a new start it is not told to stop once more")
  func once() {
    var position = position(upTo: 10)
    position.suspect(1)
    #expect(position.verify(0..<20, 1) == .recheck)
    position.suspect(2)
    #expect(position.verify(0..<20, 2) == .outdated)
    #expect(position.restart() == 9)
    #expect(position.restart() == nil)
  }

  @Test("what can't be read is asked for once more, and left out after that")
  func unreadable() {
    var position = position(upTo: 10)
    #expect(position.trouble(isLasting: true) == 1)
    #expect(position.trouble(isLasting: true) == 0)
    position.suspect(1)
    #expect(position.verify(0..<15, 1) == .recheck)
    #expect(position.restart() == 9)
    #expect(position.message(9) == .checks)
    #expect(position.checked(fingerprint(9)) == true)
    #expect(position.trouble(isLasting: true) == 2)
    position.suspect(2)
    #expect(position.verify(0..<15, 2) == .skipped)
    #expect(position.restart() == 15)
    #expect(position.message(15) == .deliver)
    // The next time is a first one.
    #expect(position.trouble(isLasting: true) == 1)
  }

  @Test("what can be read the second time is no trouble, and what may pass is never left out")
  func passingTrouble() {
    var position = position(upTo: 10)
    for round in UInt64(1)...5 {
      #expect(position.trouble(isLasting: round == 1) == Int(round))
      position.suspect(round)
      #expect(position.verify(0..<15, round) == .recheck)
      #expect(position.restart() == 9)
    }
    #expect(position.message(9) == .checks)
    #expect(position.checked(fingerprint(9)) == true)
    #expect(position.message(10) == .deliver)
    #expect(position.trouble(isLasting: true) == 1)
  }

  @Test("one that nobody reads is never suspect")
  func unread() {
    var position = ReadPosition.unread
    position.suspect(1)
    #expect(!position.isSuspect)
    #expect(position.message(0) == .old)
    #expect(position.verify(5..<9, 1) == .outdated)
  }
}
