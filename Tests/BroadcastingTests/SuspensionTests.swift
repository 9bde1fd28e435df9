//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

@testable import Broadcasting

private let away = BroadcastError(.unavailable, "Away.", isRetriable: true)
private let stillAway = BroadcastError(.timedOut, "Silent.", isRetriable: true)
private let refused = BroadcastError(.refused, "No.")

@Suite("A session whose broker is away", .timeLimit(.minutes(2)))
struct SuspensionTests {
  @Test("calls fail meanwhile; subscriptions go on without a gap, and nothing is asked for again")
  func goingOn() async throws {
    try await withScript { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await script.next().succeed()
      var iterator = try await subscribing.makeAsyncIterator()
      inbox.received(Message("1", to: "a"))
      inbox.suspended(because: away)
      #expect(!hub.statistics.isAvailable && hub.statistics.reconnects == 0)
      inbox.received(Message("2", to: "a"))
      let published = await #expect(throws: BroadcastError.self) { try await hub.publish("x", to: "a") }
      #expect(published?.code == .unavailable && published?.isRetriable == true && published?.outcome == .notSent)
      #expect((published?.underlying as? BroadcastError)?.message == "Away.")
      for error in [
        await failure { try await hub.subscribe(to: "a") },
        // Who was admitted just before.
        await failure { try await hub.join([.channel("b")], .init()) },
      ] { #expect(error?.code == .unavailable && error?.isRetriable == true) }
      #expect(hub.statistics.subscribers == 1)
      inbox.connected()
      #expect(hub.statistics.isAvailable && hub.statistics.reconnects == 1)
      inbox.received(Message("3", to: "a"))
      #expect(try await texts(&iterator, 3) == ["1", "2", "3"])
      async let publishing = hub.publish("x", to: "a")
      // The next call of all: no subscription was renewed.
      let call = try await script.next()
      #expect(call.name == "publish x")
      call.succeed()
      _ = try await publishing
      #expect(hub.statistics.gaps == 0)
    }
  }

  @Test("its beginning is told as a lost connection, and another reason as one more attempt; the same one is not")
  func events() async throws {
    let events = Lock<[String]>([])
    let configuration = HubConfiguration.quick { event in
      events.withLock { $0.append("\(event.kind) \(event.error?.message ?? "-")") }
    }
    try await withScript(configuration) { hub, script in
      let call = try await script.next()
      guard case .run(let inbox) = call.kind else { return }
      inbox.suspended(because: away)
      #expect(events.withLock { $0.isEmpty })
      inbox.connected()
      inbox.connected()
      for error in [away, away, stillAway, refused, refused] { inbox.suspended(because: error) }
      let published = await failure { try await hub.publish("x", to: "a") }
      // What is known last.
      #expect((published?.underlying as? BroadcastError)?.message == "No.")
      inbox.connected()
      inbox.suspended(because: refused)
      inbox.connected()
      #expect(
        events.withLock { $0 } == [
          "connected -", "connectionLost Away.", "retrying Silent.", "refused No.", "connected -", "connectionLost No.",
          "connected -",
        ])
      #expect(hub.statistics.reconnects == 2)
    }
  }

  @Test("a session that ends while its broker is away loses its subscriptions, and that it is away is not told twice")
  func ending() async throws {
    let events = Lock<[BroadcastEvent.Kind]>([])
    let configuration = HubConfiguration.quick { event in events.withLock { $0.append(event.kind) } }
    try await withScript(configuration) { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (session, inbox) = try await script.connect()
      try await script.next().succeed()
      var iterator = try await subscribing.makeAsyncIterator()
      inbox.suspended(because: away)
      session.fail(stillAway)
      let (_, next) = try await script.connect()
      // The past session has nothing to say any more.
      inbox.suspended(because: away)
      inbox.received(Message("late", to: "a"))
      #expect(hub.statistics.isAvailable)
      let renewal = try await script.next()
      #expect(renewal.name == "subscribe a")
      renewal.succeed()
      #expect(try await texts(&iterator, 1) == ["gap:?:connectionLost"])
      next.received(Message("x", to: "a"))
      #expect(try await texts(&iterator, 1) == ["x"])
      while !events.withLock({ $0.contains(.resubscribed) }) { await Task.yield() }
      #expect(events.withLock { $0 } == [.connected, .connectionLost, .retrying, .connected, .resubscribed])
      #expect(hub.statistics.reconnects == 1)
    }
  }

  @Test("a subscription that has ended meanwhile is asked for when the broker is back, and its gap is told")
  func lostMeanwhile() async throws {
    var configuration = HubConfiguration.quick()
    // The planned time never comes.
    configuration.shortestReconnectDelay = .seconds(600)
    configuration.longestReconnectDelay = .seconds(600)
    try await withScript(configuration) { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await script.next().succeed()
      let subscription = try await subscribing
      inbox.suspended(because: away)
      inbox.lost("a", because: away, reason: .brokerLoss)
      inbox.connected()
      let renewal = try await script.next()
      #expect(renewal.name == "subscribe a")
      renewal.succeed()
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["gap:?:brokerLoss"])
    }
  }

  @Test("calls that are under way go on, and what is missing is told all the same")
  func underWay() async throws {
    try await withScript { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      async let publishing = hub.publish("x", to: "a")
      let (_, inbox) = try await script.connect()
      let calls = [try await script.next(), try await script.next()]
      inbox.suspended(because: away)
      for call in calls { call.succeed() }
      var iterator = try await subscribing.makeAsyncIterator()
      _ = try await publishing
      inbox.missed(3, on: "a")
      #expect(try await texts(&iterator, 1) == ["gap:3:brokerLoss"])
      #expect(!hub.statistics.isAvailable)
    }
  }

  @Test("what probes of the connection took is forgotten with it")
  func probes() async throws {
    try await withScript { hub, script in
      let (_, inbox) = try await script.connect()
      inbox.probed(after: .milliseconds(3))
      inbox.suspended(because: away)
      #expect(hub.statistics.probeDelay == nil)
      // It comes before the driver knows that all is well.
      inbox.probed(after: .milliseconds(5))
      inbox.connected()
      #expect(hub.statistics.probeDelay == .milliseconds(5))
    }
  }

  @Test("nothing brings a hub back that has ended")
  func ended() throws {
    var lifecycle = Lifecycle()
    try lifecycle.start()
    let session = lifecycle.beginSession()
    #expect(lifecycle.connected(session: session) != nil)
    #expect(lifecycle.suspend(session: session, because: away) == true)
    #expect(lifecycle.suspend(session: session, because: away) == nil)
    _ = lifecycle.end(nil)
    #expect(lifecycle.suspend(session: session, because: stillAway) == nil)
    #expect(lifecycle.connected(session: session) == nil)
    #expect(lifecycle.endReason.code == .notRunning)
  }
}
