//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork

struct InboxTests {
  @Test("one signal is outstanding at most")
  func signals() {
    var inbox = Inbox<Int>()
    #expect(inbox.add(1) == .loop)
    #expect(inbox.add(2) == .nobody)
    #expect(inbox.takeAll() == [1, 2])
    #expect(inbox.add(3) == .loop)
  }

  @Test("a loop that closes is not signalled, and does not end with work left")
  func closing() {
    var inbox = Inbox<Int>()
    inbox.startClosing()
    #expect(inbox.add(1) == .nobody)
    #expect(inbox.endIfEmpty() == false)
    #expect(inbox.takeAll() == [1])
    #expect(inbox.endIfEmpty() == true)
  }

  @Test("after the end one fallback runs at a time")
  func ended() {
    var inbox = Inbox<Int>()
    inbox.startClosing()
    #expect(inbox.endIfEmpty() == true)
    #expect(inbox.add(1) == .fallback)
    #expect(inbox.add(2) == .nobody)
    #expect(inbox.takeAll() == [1, 2])
    #expect(inbox.add(3) == .nobody)
    #expect(inbox.endIfEmpty() == false)
    #expect(inbox.takeAll() == [3])
    #expect(inbox.endIfEmpty() == true)
    #expect(inbox.add(4) == .fallback)
  }
}
