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
    #expect(window.wait(1, messages: 1))
    #expect(window.wait(2, messages: 3))
    #expect(window.answered(1) == [1, 2])
    #expect(window.answered(4) == [])
    #expect(!window.wait(3, messages: 1))
  }

  @Test("four unanswered messages hold up nobody")
  func few() {
    var window = window(sent: 4)
    #expect(!window.wait(1, messages: 1))
  }

  @Test("what comes in one turn goes together")
  func turn() {
    var window = SendWindow(partitions: 1)
    #expect(window.sent(64))
    #expect(!window.wait(1, messages: 64))
    #expect(!window.sent(64))
    window.endTurn()
    #expect(window.wait(2, messages: 1))
    #expect(window.sent(1))
  }

  @Test("reports that come in the turn of their messages leave nothing behind")
  func early() {
    var window = SendWindow(partitions: 1)
    _ = window.sent(8)
    #expect(window.answered(8) == [])
    window.endTurn()
    #expect(!window.wait(1, messages: 1))
  }

  @Test("where many messages wait they go, in their order")
  func many() {
    var window = window(sent: 8)
    #expect(window.wait(1, messages: 200))
    #expect(!window.wait(2, messages: 56))
    #expect(window.takeWaiting() == [1])
    #expect(window.wait(3, messages: 255))
  }

  @Test("with several partitions nobody waits: one without a leader would hold up the others")
  func partitions() {
    var window = SendWindow(partitions: 2)
    _ = window.sent(100)
    window.endTurn()
    #expect(!window.wait(1, messages: 1))
  }
}
