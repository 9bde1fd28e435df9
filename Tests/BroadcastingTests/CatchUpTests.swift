//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

private let broken = BroadcastError(.unavailable, "Broken.", isRetriable: true)

@Suite("Who joins a channel that others read", .timeLimit(.minutes(2)))
struct CatchUpTests {
  /// A hub with a subscription to "a" that stands.
  private func withSubscription(
    _ body: (Hub, inout ScriptedDriver.Script, (call: ScriptedDriver.Call, inbox: DriverInbox), Subscription)
      async throws
      -> Void
  ) async throws {
    try await withScript(capabilities: Capabilities(mayDeliverEarlierMessages: false, hasPatterns: true)) {
      hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let session = try await script.connect()
      try await script.next().succeed()
      try await body(hub, &script, session, try await subscribing)
    }
  }

  @Test("it gets what arrives after the driver has caught up; the others get all")
  func newcomer() async throws {
    try await withSubscription { hub, script, session, early in
      async let joining = hub.subscribe(to: "a")
      let call = try await script.next()
      #expect(call.name == "catch up a")
      session.inbox.received([Message("1", to: "a"), Message("2", to: "a")], on: "a")
      session.inbox.missed(7, on: "a")
      call.succeed()
      let late = try await joining
      #expect(late.unreadMessages == 0)
      session.inbox.received(Message("3", to: "a"))
      var iterator = late.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["3"])
      iterator = early.makeAsyncIterator()
      #expect(try await texts(&iterator, 4) == ["1", "2", "gap:7:brokerLoss", "3"])
    }
  }

  @Test("what is held for it alone is given back when it passes over that")
  func memory() async throws {
    try await withSubscription { hub, script, session, early in
      async let joining = hub.subscribe(to: "a")
      let call = try await script.next()
      for _ in 0..<100 { session.inbox.received(Message(String(repeating: "x", count: 100), to: "a")) }
      var iterator = early.makeAsyncIterator()
      _ = try await texts(&iterator, 100)
      early.cancel()
      call.succeed()
      let late = try await joining
      #expect(hub.statistics.bytesHeld == 0)
      withExtendedLifetime(late) {}
    }
  }

  @Test("a call that has begun is none for who comes then: they share the next one")
  func sharing() async throws {
    try await withSubscription { hub, script, session, _ in
      async let first = hub.subscribe(to: "a")
      let call = try await script.next()
      async let second = hub.subscribe(to: "a")
      async let third = hub.subscribe(to: "a")
      while hub.statistics.subscribers < 4 { await Task.yield() }
      session.inbox.received(Message("1", to: "a"))
      call.succeed()
      var iterator = try await first.makeAsyncIterator()
      let next = try await script.next()
      #expect(next.name == "catch up a")
      session.inbox.received(Message("2", to: "a"))
      next.succeed()
      let others = [try await second, try await third]
      session.inbox.received(Message("3", to: "a"))
      #expect(try await texts(&iterator, 2) == ["2", "3"])
      for subscription in others {
        iterator = subscription.makeAsyncIterator()
        #expect(try await texts(&iterator, 1) == ["3"])
      }
    }
  }

  @Test("the same holds for who comes while the first subscription is under way")
  func duringSubscribing() async throws {
    try await withScript(capabilities: Capabilities(mayDeliverEarlierMessages: false)) { hub, script in
      async let first = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      let call = try await script.next()
      async let second = hub.subscribe(to: "a")
      while hub.statistics.subscribers < 2 { await Task.yield() }
      call.succeed()
      var iterator = try await first.makeAsyncIterator()
      let next = try await script.next()
      #expect(next.name == "catch up a")
      inbox.received(Message("1", to: "a"))
      next.succeed()
      let late = try await second
      inbox.received(Message("2", to: "a"))
      #expect(try await texts(&iterator, 2) == ["1", "2"])
      iterator = late.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["2"])
    }
  }

  @Test("a call that fails fails those who wait for it, and nobody else")
  func failing() async throws {
    try await withSubscription { hub, script, session, early in
      async let joining = failure { try await hub.subscribe(to: "a") }
      let call = try await script.next()
      async let later = hub.subscribe(to: "a")
      while hub.statistics.subscribers < 3 { await Task.yield() }
      call.fail(broken)
      #expect(await joining?.message == "Broken.")
      try await script.next().succeed()
      _ = try await later
      session.inbox.received(Message("1", to: "a"))
      var iterator = early.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["1"])
    }
  }

  @Test("one that gives up holds nobody up, and the last to leave unsubscribes when the call has ended")
  func leaving() async throws {
    try await withSubscription { hub, script, _, early in
      let call = try await withThrowingTaskGroup(of: BroadcastError?.self) { group in
        group.addTask { await failure { try await hub.subscribe(to: "a") } }
        let call = try await script.next()
        group.cancelAll()
        #expect(try await group.next()??.code == .cancelled)
        return call
      }
      early.cancel()
      #expect(hub.statistics.subscribers == 0)
      call.succeed()
      let next = try await script.next()
      #expect(next.name == "unsubscribe a")
      next.succeed()
      while !hub.channels.feeds.isEmpty { await Task.yield() }
    }
  }

  @Test("where the subscription ends meanwhile it waits for the next one; the others get a gap")
  func losing() async throws {
    try await withSubscription { hub, script, session, early in
      async let joining = hub.subscribe(to: "a")
      let call = try await script.next()
      session.inbox.lost("a", because: broken, reason: .brokerLoss)
      // How it fails then does not matter.
      call.fail(broken)
      let renewal = try await script.next()
      #expect(renewal.name == "subscribe a")
      renewal.succeed()
      var late = try await joining.makeAsyncIterator()
      session.inbox.received(Message("1", to: "a"))
      #expect(try await texts(&late, 1) == ["1"])
      var iterator = early.makeAsyncIterator()
      #expect(try await texts(&iterator, 2) == ["gap:?:brokerLoss", "1"])
    }
  }

  @Test("a lost connection fails those who wait")
  func connectionLost() async throws {
    try await withSubscription { hub, script, session, early in
      async let joining = failure { try await hub.subscribe(to: "a") }
      let call = try await script.next()
      session.call.fail(broken)
      #expect(await joining?.code == .unavailable)
      call.succeed()
      _ = try await script.connect()
      try await script.next().succeed()
      var iterator = early.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["gap:?:connectionLost"])
    }
  }

  @Test("who comes while the broker is away, and waits until it is back, is caught up with then")
  func whileAway() {
    var machine = ChannelStateMachine<String>(fences: true)
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    if case .wait(let call) = machine.join("b", isConnected: false) {
      #expect(call == nil)
    } else {
      Issue.record("ready")
    }
    #expect(machine.retry().call == .catchUp(number: 2))
    #expect(machine.retry().call == nil)
    let action = machine.caughtUp(number: 2)
    #expect(action.waiters == ["b"] && action.isCaughtUp && action.error == nil && action.call == nil)
    #expect(machine.caughtUp(number: 2).waiters.isEmpty)
  }

  @Test("nobody waits at a pattern, nor where earlier messages may be delivered")
  func withoutFences() async throws {
    for mayDeliverEarlier in [false, true] {
      let capabilities = Capabilities(mayDeliverEarlierMessages: mayDeliverEarlier, hasPatterns: true)
      try await withScript(capabilities: capabilities) { hub, script in
        async let subscribing = hub.subscribe(to: ChannelPattern("a*"))
        _ = try await script.connect()
        try await script.next().succeed()
        let first = try await subscribing
        _ = try await hub.subscribe(to: ChannelPattern("a*"))
        async let channel = hub.subscribe(to: "a")
        try await script.next().succeed()
        let kept = try await channel
        if mayDeliverEarlier { _ = try await hub.subscribe(to: "a") }
        withExtendedLifetime((first, kept)) {}
      }
    }
  }
}
