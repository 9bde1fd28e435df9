//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingKafka

@Suite("Where a partition is read that may be another")
struct HeldBackPositionTests {
  @Test("what comes of a log that may be another is read after it has been compared, behind the gap if it is one")
  func heldBack() {
    var position = position(upTo: 10)
    position.suspect(1)
    for offset in Int64(10)..<13 { #expect(position.message(offset) == .old) }
    #expect(position.verify(0..<13, 1) == .recheck)
    #expect(position.restart() == 9)
    #expect(position.message(9) == .checks)
    #expect(position.checked(fingerprint(9, 1)) == false)
    #expect(position.message(13) == .old)
    #expect(position.restart() == 13)
    #expect(position.message(13) == .deliver)
  }

  @Test("what was held back of a log of which nothing had been read comes after that", arguments: [false, true])
  func heldBackFresh(byEnd: Bool) {
    var position = ReadPosition(next: 5)
    position.suspect(1)
    if byEnd { #expect(position.ended(7) == .fine) } else { #expect(position.message(5) == .old) }
    #expect(position.next == 5)
    #expect(position.verify(0..<7, 1) == .resume)
    #expect(position.restart() == 5)
    #expect(position.message(5) == .deliver)
  }

  @Test("a suspicion while it is compared begins that anew, and nothing of it is handed on before")
  func heldBackTwice() {
    var position = position(upTo: 10)
    position.suspect(1)
    #expect(position.verify(0..<13, 1) == .recheck)
    #expect(position.restart() == 9)
    position.suspect(2)
    for offset in Int64(9)..<13 { #expect(position.message(offset) == .old) }
    #expect(position.isHeldUp)
    #expect(position.verify(0..<13, 2) == .recheck)
    #expect(position.message(9) == .old)
    #expect(position.restart() == 9)
    #expect(position.message(9) == .checks)
    #expect(position.checked(fingerprint(9)) == true)
    #expect(!position.isHeldUp)
    #expect(position.message(10) == .deliver)
  }

  @Test("one that can't be verified is handed on in the end, and verified later")
  func released() {
    var position = position(upTo: 10)
    #expect(position.release() == false)
    position.suspect(1)
    #expect(position.message(10) == .old)
    #expect(position.release() == true)
    #expect(position.restart() == 10)
    #expect(position.message(10) == .deliver)
    position.suspect(2)
    #expect(position.release() == false)
    #expect(position.message(11) == .deliver)
    // And it is not held back once more before that is over.
    #expect(position.verify(0..<20, 2) == .recheck)
    #expect(position.message(12) == .old)
    #expect(position.restart() == 9)
    #expect(position.message(9) == .checks)
    #expect(position.checked(fingerprint(9)) == true)
    #expect(position.message(11) == .old)
    #expect(position.message(12) == .deliver)
    position.suspect(3)
    #expect(position.message(13) == .old)
  }

  @Test(
    "one that is released while it waits for its stop leaves nothing out", arguments: [5, 10] as [Int64], [false, true])
  func releasedBeforeStop(next: Int64, byEnd: Bool) {
    var position = position(from: 5, upTo: next)
    position.suspect(1)
    #expect(position.message(next) == .old)
    #expect(position.verify(0..<next + 2, 1) == (next > 5 ? .recheck : .resume))
    #expect(position.release() == false)
    if byEnd {
      #expect(position.ended(next + 2) == .fine)
    } else {
      #expect(position.message(next + 1) == .old)
    }
    #expect(position.next == next)
    #expect(position.restart() == max(5, next - 1))
    if next > 5 {
      #expect(position.message(next - 1) == .checks)
      #expect(position.checked(fingerprint(next - 1)) == true)
    }
    #expect(position.message(next) == .deliver)
  }
}
