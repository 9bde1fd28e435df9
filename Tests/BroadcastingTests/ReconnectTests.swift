//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

@testable import Broadcasting

private let broken = BroadcastError(.unavailable, "Broken.", isRetriable: true)

@Suite("Hub that loses its connection", .timeLimit(.minutes(2)))
struct ReconnectTests {
  @Test("after a lost connection everyone gets one gap when the channel stands again, then messages")
  func losing() async throws {
    let events = Lock<[BroadcastEvent.Kind]>([])
    let configuration = HubConfiguration.quick { event in events.withLock { $0.append(event.kind) } }
    try await withScript(configuration) { hub, script in
      async let one = hub.subscribe(to: ["a", "b"])
      let (session, inbox) = try await script.connect()
      try await script.next().succeed()
      try await script.next().succeed()
      let two = try await hub.subscribe(to: "a")
      let subscription = try await one
      inbox.received(Message("before", to: "a"))
      session.fail(broken)

      let (_, again) = try await script.connect()
      inbox.received(Message("from a past session", to: "a"))
      let renewals = [try await script.next(), try await script.next()].sorted { $0.name < $1.name }
      #expect(renewals.map(\.name) == ["subscribe a", "subscribe b"])
      renewals[0].succeed()
      var iterator = two.makeAsyncIterator()
      // Told without any message after it.
      #expect(try await texts(&iterator, 2) == ["before", "gap:?:connectionLost"])
      again.received(Message("after", to: "a"))
      again.received(Message("overtakes", to: "b"))
      renewals[1].succeed()
      #expect(try await texts(&iterator, 1) == ["after"])
      var all: [Channel: [String]] = [:]
      for try await delivery in subscription {
        switch delivery {
        case .message(let message): all[message.channel, default: []].append(text(delivery))
        case .gap(let gap): all[gap.channel, default: []].append(text(delivery))
        }
        if all.values.map(\.count).reduce(0, +) == 5 { break }
      }
      #expect(all["a"] == ["before", "gap:?:connectionLost", "after"])
      #expect(all["b"] == ["gap:?:connectionLost", "overtakes"])
      while !events.withLock({ $0.contains(.resubscribed) }) { await Task.yield() }
      #expect(
        events.withLock { $0 }.filter { $0 != .resubscribed } == [.connected, .connectionLost, .retrying, .connected])
    }
  }

  @Test("while the connection is lost, calls throw a retriable error at once")
  func whileLost() async throws {
    var configuration = HubConfiguration.quick()
    configuration.shortestReconnectDelay = .seconds(600)
    configuration.longestReconnectDelay = .seconds(600)
    try await withScript(configuration) { hub, script in
      async let waiting = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      let call = try await script.next()
      session.fail(broken)
      // A subscribe that was under way fails with it, and its answer comes too late.
      do {
        _ = try await waiting
        Issue.record("no error")
      } catch let error as BroadcastError {
        #expect(error.code == .unavailable && error.isRetriable)
      }
      call.succeed()
      let published = await #expect(throws: BroadcastError.self) { try await hub.publish("x", to: "a") }
      #expect(published?.code == .unavailable && published?.isRetriable == true && published?.outcome == .notSent)
      let subscribed = await #expect(throws: BroadcastError.self) { try await hub.subscribe(to: "b") }
      #expect(subscribed?.code == .unavailable)
      #expect(hub.statistics.subscribers == 0)
      while hub.channels.feeds.count > 0 { await Task.yield() }
    }
  }

  @Test("who is admitted just before the connection is lost does not reach the driver, and can try again")
  func admittedTooEarly() async throws {
    try await withScript { hub, script in
      let (session, _) = try await script.connect()
      session.fail(broken)
      // The next session has begun and is not connected yet.
      let next = try await script.next()
      #expect(next.name == "run")
      let error = await failure { try await hub.join([.channel("a")], .init()) }
      #expect(error?.code == .unavailable && error?.isRetriable == true)
      #expect(hub.statistics.subscribers == 0 && hub.channels.feeds.isEmpty)
      guard case .run(let inbox) = next.kind else { return }
      inbox.connected()
      async let again = hub.subscribe(to: "b")
      let call = try await script.next()
      #expect(call.name == "subscribe b")
      call.succeed()
      _ = try await again
    }
  }

  @Test("a session that is over cannot connect any more")
  func lateConnected() throws {
    var lifecycle = Lifecycle()
    try lifecycle.start()
    let session = lifecycle.beginSession()
    #expect(lifecycle.endSession(because: broken) == nil)
    #expect(lifecycle.connected(session: session) == nil)
    #expect(lifecycle.connected(session: lifecycle.beginSession()) != nil)
  }

  @Test("a channel that everybody leaves during its renewal does not keep the others' from being told")
  func leavingDuringRenewal() async throws {
    let counts = Lock<[Int?]>([])
    let configuration = HubConfiguration.quick { event in
      if event.kind == .resubscribed { counts.withLock { $0.append(event.count) } }
    }
    try await withScript(configuration) { hub, script in
      async let a = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      try await script.next().succeed()
      let leaving = try await a
      async let b = hub.subscribe(to: "b")
      try await script.next().succeed()
      let staying = try await b
      session.fail(broken)
      _ = try await script.connect()
      let renewals = [try await script.next(), try await script.next()].sorted { $0.name < $1.name }
      #expect(renewals.map(\.name) == ["subscribe a", "subscribe b"])
      leaving.cancel()
      renewals[1].succeed()
      renewals[0].succeed()
      let undo = try await script.next()
      #expect(undo.name == "unsubscribe a")
      undo.succeed()
      while counts.withLock({ $0.isEmpty }) { await Task.yield() }
      #expect(counts.withLock { $0 } == [1])
      withExtendedLifetime(staying) {}
    }
  }

  @Test("who subscribes while a channel is being renewed gets no gap that is not its own")
  func newcomer() async throws {
    try await withScript { hub, script in
      async let old = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      try await script.next().succeed()
      let subscription = try await old
      session.fail(broken)
      let (_, inbox) = try await script.connect()
      let renewal = try await script.next()
      async let new = hub.subscribe(to: "a")
      while hub.statistics.subscribers < 2 { await Task.yield() }
      renewal.succeed()
      var newcomer = try await new.makeAsyncIterator()
      inbox.received(Message("x", to: "a"))
      #expect(try await texts(&newcomer, 1) == ["x"])
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 2) == ["gap:?:connectionLost", "x"])
    }
  }

  @Test("ten thousand channels are renewed, a bounded number of calls at once")
  func manyRenewals() async throws {
    try await withScript { hub, script in
      let (session, _) = try await script.connect()
      var subscriptions: [Subscription] = []
      for block in 0..<10 {
        async let subscription = hub.subscribe(to: (0..<1_000).map { Channel("\(block)/\($0)") })
        for _ in 0..<1_000 { try await script.next().succeed() }
        subscriptions.append(try await subscription)
      }
      session.fail(broken)
      _ = try await script.connect()
      for _ in 0..<10_000 { try await script.next().succeed() }
      for subscription in subscriptions {
        var count = 0
        for try await delivery in subscription {
          guard case .gap = delivery else { continue }
          count += 1
          if count == 1_000 { break }
        }
        #expect(count == 1_000)
      }
    }
  }
}
