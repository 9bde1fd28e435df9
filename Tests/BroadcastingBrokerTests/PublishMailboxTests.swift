//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import Testing

@testable import BroadcastingBroker

@Suite("Where publishers wait for the loop", .timeLimit(.minutes(1)))
struct PublishMailboxTests {
  private let lost = BroadcastError(.unavailable, "lost", isRetriable: true)

  private func publish(_ mailbox: PublishMailbox, _ messages: [Message] = [Message("x", to: "a")]) async
    -> BroadcastError?
  {
    do throws(BroadcastError) {
      try await mailbox.publish(messages)
      return nil
    } catch {
      return error
    }
  }

  /// Returns when there are so many calls.
  private func take(_ count: Int, from mailbox: PublishMailbox) async -> [PublishCall] {
    var calls: [PublishCall] = []
    while calls.count < count {
      calls += mailbox.takeAll()
      await Task.yield()
    }
    return calls
  }

  @Test("nothing is taken before it is open, and after it is closed")
  func closed() async {
    let mailbox = PublishMailbox()
    let before = await publish(mailbox)
    #expect(before?.code == .unavailable)
    #expect(before?.isRetriable == true)
    #expect(before?.outcome == .notSent)
    mailbox.open {}
    mailbox.close(because: lost)
    let after = await publish(mailbox)
    #expect(after?.message == "lost")
    #expect(after?.outcome == .notSent)
  }

  @Test("what waits when it is closed was not sent, and what was taken is the loop's")
  func closing() async {
    let mailbox = PublishMailbox()
    let wakes = Lock(0)
    mailbox.open { wakes.withLock { $0 += 1 } }
    async let first = publish(mailbox)
    let taken = await take(1, from: mailbox)
    async let second = publish(mailbox)
    while wakes.withLock({ $0 }) < 2 { await Task.yield() }
    mailbox.close(because: lost)
    #expect(await second?.outcome == .notSent)
    for call in taken { call.end(nil) }
    #expect(await first == nil)
  }

  @Test("the loop is woken once for all that came until it looked")
  func wakes() async {
    let mailbox = PublishMailbox()
    let wakes = Lock(0)
    mailbox.open { wakes.withLock { $0 += 1 } }
    await withTaskGroup(of: BroadcastError?.self) { group in
      for _ in 0..<200 { group.addTask { await publish(mailbox) } }
      var taken = 0
      var looks = 0
      while taken < 200 {
        let calls = mailbox.takeAll()
        taken += calls.count
        looks += calls.isEmpty ? 0 : 1
        for call in calls { call.end(nil) }
        await Task.yield()
      }
      for await error in group { #expect(error == nil) }
      #expect(wakes.withLock { $0 } == looks)
    }
  }

  @Test("more messages, or more bytes, than may wait are refused, and taken again when some have ended")
  func limits() async {
    let mailbox = PublishMailbox(maximumMessages: 2, maximumBytes: 1_000)
    mailbox.open {}
    let small = Message("x", to: "a")
    async let two = publish(mailbox, [small, small])
    let calls = await take(1, from: mailbox)
    let third = await publish(mailbox)
    #expect(third?.isRetriable == true)
    #expect(third?.outcome == .notSent)
    #expect(third?.message.contains("2 messages") == true)
    for call in calls { call.end(nil) }
    #expect(await two == nil)

    async let large = publish(mailbox, [Message([UInt8](repeating: 0, count: 900), to: "a")])
    let call = await take(1, from: mailbox)
    #expect(await publish(mailbox, [Message([UInt8](repeating: 0, count: 100), to: "a")])?.outcome == .notSent)
    for call in call { call.end(nil) }
    #expect(await large == nil)
  }

  @Test("one call alone may be over the limits")
  func oneLarge() async {
    let mailbox = PublishMailbox(maximumMessages: 1, maximumBytes: 10)
    mailbox.open {}
    async let large = publish(mailbox, (0..<5).map { Message("\($0)", to: "a") })
    for call in await take(1, from: mailbox) { call.end(nil) }
    #expect(await large == nil)
  }
}
