//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingKafka

@Suite("Messages of a topic on their way")
struct SendWindowTests {
  private func window(sent: Int) -> SendWindow {
    var window = SendWindow(partitions: 1)
    _ = window.sent(sent)
    window.endTurn()
    return window
  }

  @Test("calls wait behind five unanswered messages, and go together when these are answered")
  func waits() {
    var window = window(sent: 5)
    let isFirstKept = window.wait(1, messages: 1)
    #expect(isFirstKept)
    let isSecondKept = window.wait(2, messages: 3)
    #expect(isSecondKept)
    let gone = window.answered(1)
    #expect(gone == [1, 2])
    let later = window.answered(4)
    #expect(later == [])
    let isKept = window.wait(3, messages: 1)
    #expect(!isKept)
  }

  @Test("four unanswered messages hold up nobody")
  func few() {
    var window = window(sent: 4)
    let isKept = window.wait(1, messages: 1)
    #expect(!isKept)
  }

  @Test("what comes in one turn goes together")
  func turn() {
    var window = SendWindow(partitions: 1)
    let isFirst = window.sent(64)
    #expect(isFirst)
    let isKept = window.wait(1, messages: 64)
    #expect(!isKept)
    let isFirstAgain = window.sent(64)
    #expect(!isFirstAgain)
    window.endTurn()
    let isKeptLater = window.wait(2, messages: 1)
    #expect(isKeptLater)
    let isFirstOfTurn = window.sent(1)
    #expect(isFirstOfTurn)
  }

  @Test("reports that come in the turn of their messages leave nothing behind")
  func early() {
    var window = SendWindow(partitions: 1)
    _ = window.sent(8)
    let gone = window.answered(8)
    #expect(gone == [])
    window.endTurn()
    let isKept = window.wait(1, messages: 1)
    #expect(!isKept)
  }

  @Test("where many messages wait they go, in their order")
  func many() {
    var window = window(sent: 8)
    let isKept = window.wait(1, messages: 200)
    #expect(isKept)
    let isSecondKept = window.wait(2, messages: 56)
    #expect(!isSecondKept)
    let gone = window.takeWaiting()
    #expect(gone == [1])
    let isThirdKept = window.wait(3, messages: 255)
    #expect(isThirdKept)
  }

  @Test("with several partitions nobody waits: one without a leader would hold up the others")
  func partitions() {
    var window = SendWindow(partitions: 2)
    _ = window.sent(100)
    window.endTurn()
    let isKept = window.wait(1, messages: 1)
    #expect(!isKept)
  }
}
