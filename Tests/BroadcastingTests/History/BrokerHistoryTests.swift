//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

@testable import Broadcasting

@Suite("Histories at a broker, call by call", .timeLimit(.minutes(2)))
struct BrokerHistoryTests {
  var broken: BroadcastError { BroadcastError(.unavailable, "Broken.", isRetriable: true) }

  func position(_ offset: UInt64, epoch: UInt64 = 5) -> MessagePosition {
    MessagePosition(epoch: epoch, offset: offset)
  }

  func messages(_ offsets: ClosedRange<UInt64>, epoch: UInt64 = 5) -> [Message] {
    offsets.map { Message("\($0)", to: "a", position: position($0, epoch: epoch)) }
  }

  func page(_ offsets: ClosedRange<UInt64>, head: UInt64, reachesHead: Bool = true) -> HistoryPage {
    HistoryPage(head: position(head), messages: messages(offsets), reachesHead: reachesHead)
  }

  func withHistory(
    history: HistoryPolicies = [.init("*")], onEvent: (@Sendable (BroadcastEvent) -> Void)? = nil,
    _ body: (Hub, inout ScriptedDriver.Script) async throws -> Void
  ) async throws {
    var configuration = HubConfiguration.quick(onEvent: onEvent)
    configuration.history = history
    try await withScript(configuration, capabilities: Capabilities(hasPositions: true, hasHistory: true), body)
  }

  func next(_ script: inout ScriptedDriver.Script, _ name: String) async throws -> ScriptedDriver.Call {
    let call = try await script.next()
    #expect(call.name == name)
    return call
  }

  @Test("a reader who begins live needs no question, and knows where the channel stood")
  func live() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a", from: .live)
      let (_, inbox) = try await script.connect()
      let call = try await next(&script, "open a")
      inbox.received(messages(6...8), on: "a")
      call.succeed(at: position(7))
      let subscription = try await subscribing
      #expect(subscription.recovery(of: "a") == Recovery(head: position(8)) && subscription.recovered)
      inbox.received(messages(9...9), on: "a")
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["9"])
    }
  }

  @Test("the past is read in pages and joined to what arrives meanwhile; who comes then shares it")
  func past() async throws {
    try await withHistory { hub, script in
      async let first = hub.subscribe(to: "a", from: .last(4))
      let (_, inbox) = try await script.connect()
      try await next(&script, "open a").succeed(at: position(7))
      let call = try await next(&script, "read a last 4")
      async let second = hub.subscribe(to: "a", from: .last(4))
      while hub.statistics.subscribers < 2 { await Task.yield() }
      inbox.received(messages(8...9), on: "a")
      call.succeed(with: page(5...6, head: 8, reachesHead: false))
      try await next(&script, "read a after 5-6").succeed(with: page(7...8, head: 8))
      for subscription in [try await first, try await second] {
        #expect(subscription.recovery(of: "a") == Recovery(messages: 4, head: position(9)))
        var iterator = subscription.makeAsyncIterator()
        inbox.received(messages(10...10), on: "a")
        #expect(try await texts(&iterator, 4) == ["6", "7", "8", "9"])
      }
      // The ring has them now.
      let third = try await hub.subscribe(to: "a", from: .after(position(4)))
      #expect(third.recovery(of: "a")?.messages == 6)
      #expect(hub.statistics.historyMessages == 6)
    }
  }

  @Test("what the broker keeps no more is a gap with its number, and the reader did not recover")
  func trimmed() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a", from: .after(position(2)))
      _ = try await script.connect()
      try await next(&script, "open a").succeed(at: position(7))
      try await next(&script, "read a after 5-2").succeed(with: page(6...7, head: 7))
      let subscription = try await subscribing
      #expect(!subscription.recovered)
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 3) == ["gap:3:historyTrimmed", "6", "7"])
    }
  }

  @Test("who has heard more elsewhere than has arrived here gets it once")
  func ahead() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a", from: .after(position(9)))
      let (_, inbox) = try await script.connect()
      try await next(&script, "open a").succeed(at: position(7))
      try await next(&script, "read a after 5-9").succeed(
        with: HistoryPage(head: position(10), messages: messages(10...10)))
      let subscription = try await subscribing
      #expect(subscription.recovery(of: "a") == Recovery(head: position(9)))
      inbox.received(messages(8...11), on: "a")
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 2) == ["10", "11"])
    }
  }

  @Test("a position that the log never had gets a gap, and all there is")
  func unknown() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a", from: .after(position(9, epoch: 7)))
      _ = try await script.connect()
      try await next(&script, "open a").succeed(at: position(2))
      try await next(&script, "read a after 7-9").succeed(with: page(1...2, head: 2))
      var iterator = try await subscribing.makeAsyncIterator()
      #expect(try await texts(&iterator, 3) == ["gap:?:historyRestarted", "1", "2"])
    }
  }

  @Test("a lost connection leaves no gap: what was missed is read, told and counted")
  func filled() async throws {
    let events = Lock<[BroadcastEvent]>([])
    try await withHistory(onEvent: { event in events.withLock { $0.append(event) } }) { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      try await next(&script, "open a").succeed(at: position(2))
      let subscription = try await subscribing
      session.fail(broken)
      let (again, _) = try await script.connect()
      let call = try await next(&script, "open a")
      // Cut once more, between subscribing and the answer.
      again.fail(broken)
      // The answer could be there first otherwise, and be asked about.
      while events.withLock({ $0.count { $0.kind == .connectionLost } }) < 2 { await Task.yield() }
      call.succeed(at: position(4))
      let (third, _) = try await script.connect()
      try await next(&script, "open a").succeed(at: position(6))
      try await next(&script, "read a after 5-2").succeed(with: page(3...4, head: 6, reachesHead: false))
      // And between two pages.
      _ = try await next(&script, "read a after 5-4")
      third.fail(broken)
      let (_, inbox) = try await script.connect()
      let last = try await next(&script, "open a")
      inbox.received(messages(7...7), on: "a")
      last.succeed(at: position(6))
      try await next(&script, "read a after 5-4").succeed(with: page(5...7, head: 7))
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 5) == ["3", "4", "5", "6", "7"])
      #expect(hub.statistics.filled == 5 && hub.statistics.gaps == 0)
      while events.withLock({ !$0.contains { $0.kind == .filled } }) { await Task.yield() }
    }
  }

  @Test("who gives up while its past is read holds nobody up")
  func cancelled() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      _ = try await script.connect()
      try await next(&script, "open a").succeed(at: position(2))
      let subscription = try await subscribing
      let call = try await withThrowingTaskGroup(of: BroadcastError?.self) { group in
        group.addTask { await failure { try await hub.subscribe(to: "a", from: .last(2)) } }
        let call = try await script.next()
        group.cancelAll()
        #expect(try await group.next()??.code == .cancelled)
        return call
      }
      async let other = hub.subscribe(to: "a", from: .after(position(0)))
      while hub.statistics.subscribers < 2 { await Task.yield() }
      call.succeed(with: page(1...2, head: 2))
      // What was read for the one is there for the other.
      let late = try await other
      #expect(late.recovery(of: "a")?.messages == 2)
      subscription.cancel()
      late.cancel()
      while hub.statistics.subscribers > 0 { await Task.yield() }
      try await next(&script, "unsubscribe a").succeed()
      // The channel goes a moment before what it has kept.
      while !hub.channels.feeds.isEmpty || hub.statistics.bytesHeld > 0 { await Task.yield() }
    }
  }

  @Test("channels without a policy are subscribed to as ever; their past is refused")
  func withoutPolicy() async throws {
    try await withHistory(history: [.init("chat.*")]) { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      _ = try await script.connect()
      try await next(&script, "subscribe a").succeed()
      let subscription = try await subscribing
      #expect(subscription.recovery(of: "a") == Recovery())
      #expect(await failure { try await hub.subscribe(to: "a", from: .last(1)) }?.code == .unsupportedHistory)
      #expect(await failure { _ = try await hub.history(of: "a") }?.code == .unsupportedHistory)
    }
  }

  @Test("where the broker alone knows, a channel without a history refuses its past, first and later")
  func brokerDecides() async throws {
    try await withHistory(history: []) { hub, script in
      async let first = hub.subscribe(to: "a")
      async let refused = failure { try await hub.subscribe(to: "a", from: .last(1)) }
      let (session, inbox) = try await script.connect()
      let call = try await next(&script, "open a")
      while hub.statistics.subscribers < 2 { await Task.yield() }
      call.succeed(at: nil)
      #expect(await refused?.code == .unsupportedHistory)
      let subscription = try await first
      #expect(await failure { try await hub.subscribe(to: "a", from: .last(1)) }?.code == .unsupportedHistory)
      inbox.received(Message("plain", to: "a"))
      session.fail(broken)
      _ = try await script.connect()
      // A gap is told with the first refusal, as everywhere without a history.
      try await next(&script, "open a").fail(broken)
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 2) == ["plain", "gap:?:connectionLost"])
      #expect(hub.statistics.unrecorded == 0)
    }
  }

  @Test("messages without a position are counted and told, with the first and with doublings")
  func unrecorded() async throws {
    let counts = Lock<[Int?]>([])
    try await withHistory(onEvent: { event in
      if event.kind == .unrecorded { counts.withLock { $0.append(event.count) } }
    }) { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await next(&script, "open a").succeed(at: .beginning)
      let subscription = try await subscribing
      for _ in 0..<5 { inbox.received(Message("plain", to: "a")) }
      inbox.missed(on: "a", at: position(1))
      inbox.received(messages(2...2), on: "a")
      #expect(hub.statistics.unrecorded == 5 && counts.withLock { $0 } == [1, 2, 4])
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 7).suffix(2) == ["gap:1:brokerLoss", "2"])
    }
  }

  @Test("a history is read as far as an answer reaches, without a subscription")
  func asking() async throws {
    try await withHistory { hub, script in
      async let asking = hub.history(of: "a", from: .after(position(1)), limit: 5)
      _ = try await script.connect()
      try await next(&script, "read a after 5-1").succeed(with: page(3...5, head: 9, reachesHead: false))
      try await next(&script, "read a after 5-5").succeed(with: page(6...9, head: 9))
      let history = try await asking
      #expect(history.messages.compactMap(\.text) == ["3", "4", "5", "6", "7"])
      #expect(
        history.hasMore && !history.isComplete && history.next == .after(position(7)) && history.head == position(9))
      async let all = hub.history(of: "a", limit: 4)
      try await next(&script, "read a last 4").succeed(with: page(6...9, head: 9))
      let last = try await all
      #expect(last.messages.count == 4 && !last.hasMore && last.isComplete)
      async let head = hub.history(of: "a", from: .live, limit: 1)
      try await next(&script, "read a live").succeed(with: HistoryPage(head: .beginning))
      #expect(try await head.head == nil)
    }
  }
}
