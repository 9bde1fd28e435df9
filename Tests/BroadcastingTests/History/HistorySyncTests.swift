//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

private func position(_ offset: UInt64, epoch: UInt64 = 5) -> MessagePosition {
  MessagePosition(epoch: epoch, offset: offset)
}

private func message(_ offset: UInt64, epoch: UInt64 = 5) -> Message {
  Message("\(offset)", to: "c", position: position(offset, epoch: epoch))
}

private func deliveries(_ offsets: ClosedRange<UInt64>, epoch: UInt64 = 5) -> [Delivery] {
  offsets.map { .message(message($0, epoch: epoch)) }
}

private func page(
  _ offsets: [UInt64], head: UInt64, epoch: UInt64 = 5, reachesHead: Bool = true
) -> HistoryPage {
  HistoryPage(
    head: position(head, epoch: epoch), messages: offsets.map { message($0, epoch: epoch) }, reachesHead: reachesHead)
}

private let plain = Delivery.message(Message("plain", to: "c"))

@Suite("What arrives and what is read, joined")
struct HistorySyncTests {
  private func texts(_ step: HistorySync.Step) -> [String] { step.deliveries.map(text) }

  /// One whose channel stands at 5-2.
  private func live() -> HistorySync {
    var sync = HistorySync("c")
    sync.begin()
    _ = sync.opened(position(2))
    return sync
  }

  /// One that has missed something behind 5-2, and whose channel stands at 5-5.
  private func filling() -> HistorySync {
    var sync = live()
    _ = sync.lost()
    sync.begin()
    _ = sync.opened(position(5))
    return sync
  }

  @Test("what arrives before it is known where the channel stands is held back, and what is in front of that goes")
  func opening() {
    var sync = HistorySync("c")
    sync.begin()
    #expect(texts(sync.arrived(deliveries(1...4))) == [])
    #expect(texts(sync.opened(position(2))) == ["3", "4"])
    #expect(sync.last == position(4) && sync.mode == .live)
  }

  @Test("a channel without a history gets what arrived, and then all that arrives")
  func off() {
    var sync = HistorySync("c")
    sync.begin()
    _ = sync.arrived([plain])
    #expect(texts(sync.opened(nil)) == ["plain"])
    let step = sync.arrived([plain])
    #expect(texts(step) == ["plain"] && step.unrecorded == 0)
    #expect(sync.last == nil && sync.mode == .off)
  }

  @Test("a history that is gone after a lost connection is a gap")
  func switchedOff() {
    var sync = live()
    _ = sync.lost()
    sync.begin()
    #expect(texts(sync.opened(nil)) == ["gap:?:connectionLost"])
    #expect(sync.mode == .off)
  }

  @Test("a connection that is back where nothing was published leaves no trace")
  func nothingMissed() {
    var sync = live()
    #expect(texts(sync.lost()) == [])
    sync.begin()
    #expect(texts(sync.opened(position(2))) == [])
    #expect(sync.mode == .live)
  }

  @Test("what was missed is read in pages, and what arrives meanwhile comes behind it")
  func filled() {
    var sync = filling()
    #expect(sync.takeQuery() == HistoryQuery(.after(position(2))))
    #expect(texts(sync.arrived(deliveries(5...7))) == [])
    #expect(texts(sync.read(page([3, 4], head: 6, reachesHead: false))) == ["3", "4"])
    #expect(sync.takeQuery() == HistoryQuery(.after(position(4))))
    let step = sync.read(page([5, 6], head: 6))
    #expect(texts(step) == ["5", "6", "7"])
    #expect(step.filled == 4)
    #expect(sync.mode == .live && sync.takeQuery() == nil && sync.heldBytes == 0)
  }

  @Test("a jump is read, and doubles are dropped")
  func jump() {
    var sync = live()
    #expect(texts(sync.arrived(deliveries(2...3) + deliveries(5...6))) == ["3"])
    #expect(sync.takeQuery() == HistoryQuery(.after(position(3))))
    #expect(texts(sync.read(page([4, 5, 6], head: 6))) == ["4", "5", "6"])
    #expect(texts(sync.arrived(deliveries(5...7))) == ["7"])
  }

  @Test("limits that took something are a gap with its number")
  func trimmed() {
    var sync = filling()
    _ = sync.takeQuery()
    #expect(texts(sync.read(page([5], head: 6))) == ["gap:2:historyTrimmed", "5", "gap:1:historyTrimmed"])
    #expect(sync.last == position(6))
  }

  @Test("what the limits took after it had arrived is given all the same")
  func trimmedButArrived() {
    var sync = filling()
    _ = sync.takeQuery()
    _ = sync.arrived(deliveries(4...7))
    #expect(texts(sync.read(page([7], head: 7))) == ["gap:1:historyTrimmed", "4", "5", "6", "7"])
    #expect(sync.last == position(7) && sync.mode == .live)
    sync = filling()
    _ = sync.takeQuery()
    _ = sync.arrived(deliveries(3...5))
    _ = sync.missed(at: position(6))
    _ = sync.arrived(deliveries(7...8))
    #expect(texts(sync.read(page([7], head: 9, reachesHead: false))) == ["3", "4", "5", "gap:1:historyTrimmed", "7"])
    #expect(texts(sync.read(page([9], head: 9))) == ["8", "9"])
  }

  @Test("another log is a gap, and what it holds")
  func restarted() {
    var sync = filling()
    _ = sync.takeQuery()
    #expect(texts(sync.read(page([1, 2], head: 2, epoch: 9))) == ["gap:?:historyRestarted", "1", "2"])
    #expect(texts(sync.arrived(deliveries(3...3, epoch: 9))) == ["3"])
  }

  @Test("a log that begins anew while it is listened to leaves no gap; its middle does")
  func restartedWhileLive() {
    var sync = live()
    #expect(texts(sync.arrived(deliveries(1...2, epoch: 9))) == ["1", "2"])
    #expect(texts(sync.arrived(deliveries(4...4, epoch: 12))) == [])
    #expect(sync.takeQuery() == HistoryQuery(.after(position(2, epoch: 9))))
  }

  @Test("the first message of a channel may be of any epoch, and a history that is deleted says so once")
  func beginning() {
    var sync = HistorySync("c")
    sync.begin()
    _ = sync.opened(.beginning)
    #expect(texts(sync.arrived(deliveries(1...1))) == ["1"])
    _ = sync.lost()
    sync.begin()
    _ = sync.opened(.beginning)
    _ = sync.takeQuery()
    #expect(texts(sync.read(HistoryPage(head: .beginning))) == ["gap:?:historyRestarted"])
    // It was read before, and comes late.
    #expect(texts(sync.arrived(deliveries(1...1))) == [])
    #expect(sync.takeQuery() != nil)
  }

  @Test("a history that can't be asked twice in a row is a gap, and what has arrived comes behind it")
  func failing() {
    var sync = filling()
    _ = sync.takeQuery()
    _ = sync.arrived(deliveries(6...6))
    #expect(texts(sync.failed()) == [])
    #expect(sync.takeQuery() == HistoryQuery(.after(position(2))))
    #expect(texts(sync.failed()) == ["gap:?:connectionLost", "6"])
    #expect(sync.mode == .live && sync.last == position(6))
  }

  @Test("one failure is none")
  func failingOnce() {
    var sync = filling()
    for offset in 3...5 as ClosedRange<UInt64> {
      _ = sync.takeQuery()
      #expect(texts(sync.failed()) == [])
      _ = sync.takeQuery()
      #expect(texts(sync.read(page([offset], head: 5, reachesHead: offset == 5))) == ["\(offset)"])
    }
    #expect(sync.mode == .live)
  }

  @Test("a channel that is faster than its pages is given up after 64 of them")
  func tooFast() {
    var sync = filling()
    var given: [String] = []
    for offset in 3..<66 as Range<UInt64> {
      _ = sync.takeQuery()
      given += texts(sync.read(page([offset], head: offset + 9, reachesHead: false)))
    }
    #expect(given.count == 63 && sync.mode == .filling)
    _ = sync.arrived(deliveries(80...81))
    _ = sync.takeQuery()
    #expect(texts(sync.read(page([66], head: 90, reachesHead: false))).prefix(2) == ["66", "gap:?:connectionLost"])
    #expect(sync.mode == .live)
  }

  @Test("an answer that says nothing is a failure")
  func emptyAnswer() {
    var sync = filling()
    for _ in 0..<2 {
      _ = sync.takeQuery()
      _ = sync.read(page([], head: 9, reachesHead: false))
    }
    #expect(sync.mode == .live)
  }

  @Test("what arrives without a position is delivered, counted, and makes each renewal a gap")
  func plainMessages() {
    var sync = live()
    let step = sync.arrived([plain] + deliveries(3...3) + [plain])
    #expect(texts(step) == ["plain", "3", "plain"] && step.unrecorded == 2)
    _ = sync.lost()
    sync.begin()
    #expect(texts(sync.opened(position(4))) == ["gap:?:connectionLost"])
    _ = sync.takeQuery()
    #expect(texts(sync.read(page([4], head: 4))) == ["4"])
  }

  @Test("with a lost connection what is held back goes, but for what has no position")
  func losing() {
    var sync = filling()
    _ = sync.arrived(deliveries(6...6) + [plain])
    let step = sync.lost()
    #expect(texts(step) == ["plain"] && step.unrecorded == 1)
    #expect(sync.heldBytes == 0 && sync.last == position(2))
    // Strays.
    #expect(texts(sync.arrived(deliveries(7...7) + [plain])) == ["plain"])
  }

  @Test("too much of what is held back is dropped, and read again; what has no position becomes a gap")
  func overflow() {
    var sync = filling()
    _ = sync.takeQuery()
    _ = sync.arrived([plain, plain] + deliveries(6...8_196))
    #expect(sync.heldBytes < 1_000)
    // It was asked before they were dropped.
    #expect(texts(sync.read(page([3, 4, 5, 6], head: 6))) == ["3", "4", "5", "6"])
    #expect(sync.takeQuery() == HistoryQuery(.after(position(6))))
    #expect(texts(sync.read(page([7, 8], head: 8))).suffix(3) == ["7", "8", "gap:2:connectionLost"])
  }

  @Test("a message that was left out is a gap at its place, and none where the history has it")
  func leftOut() {
    var sync = live()
    #expect(texts(sync.missed(at: position(3))) == ["gap:1:brokerLoss"])
    #expect(texts(sync.arrived(deliveries(4...4))) == ["4"])
    _ = sync.missed(at: position(6))
    _ = sync.takeQuery()
    #expect(texts(sync.read(page([5, 6], head: 6))) == ["5", "6"])
    #expect(texts(sync.missed(at: position(6))) == [])
  }
}
