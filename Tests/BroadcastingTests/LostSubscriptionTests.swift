//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Testing

@testable import Broadcasting

private let refused = BroadcastError(.refused, "No.")
private let cut = BroadcastError(.unavailable, "Cut.", isRetriable: true)

@Suite("A subscription that the broker ends", .timeLimit(.minutes(2)))
struct LostSubscriptionTests {
  @Test("it is asked for again and its subscribers get a gap that says why; other channels notice nothing")
  func renewed() async throws {
    try await withScript { hub, script in
      async let one = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await script.next().succeed()
      async let two = hub.subscribe(to: "b")
      try await script.next().succeed()
      var (a, b) = (try await one.makeAsyncIterator(), try await two.makeAsyncIterator())
      inbox.received(Message("before", to: "a"))
      inbox.lost("a", because: cut, reason: .brokerLoss)
      inbox.received(Message("other", to: "b"))
      let renewal = try await script.next()
      #expect(renewal.name == "subscribe a")
      renewal.succeed()
      #expect(try await texts(&a, 2) == ["before", "gap:?:brokerLoss"])
      inbox.received(Message("after", to: "a"))
      #expect(try await texts(&a, 1) == ["after"])
      #expect(try await texts(&b, 1) == ["other"])
    }
  }

  @Test("that it has ended may be told before its beginning has been")
  func lostBeforeConfirmed() async throws {
    try await withScript { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      let call = try await script.next()
      inbox.lost("a", because: cut)
      call.succeed()
      var iterator = try await subscribing.makeAsyncIterator()
      try await script.next().succeed()
      #expect(try await texts(&iterator, 1) == ["gap:?:connectionLost"])
    }
  }

  @Test("why it ended counts also where that is told before its beginning")
  func lostBeforeConfirmedForGood() async throws {
    let events = Lock<[BroadcastEvent]>([])
    var configuration = HubConfiguration.quick { event in events.withLock { $0.append(event) } }
    configuration.longestReconnectDelay = .seconds(600)
    try await withScript(configuration) { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      let call = try await script.next()
      inbox.lost("a", because: refused)
      call.succeed()
      let subscription = try await subscribing
      while !events.withLock({ $0.contains { $0.kind == .refused } }) { await Task.yield() }
      let told = events.withLock { $0 }.filter { $0.kind != .connected }
      #expect(told.map(\.kind) == [.connectionLost, .refused])
      #expect(told.allSatisfy { $0.channel == "a" && $0.error?.code == .refused })
      withExtendedLifetime(subscription) {}
    }
  }

  @Test("a renewal that fails is tried again, and a newcomer is told of the failure at once")
  func failing() async throws {
    var configuration = HubConfiguration.quick()
    configuration.longestReconnectDelay = .seconds(600)
    try await withScript(configuration) { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await script.next().succeed()
      let subscription = try await subscribing
      inbox.lost("a", because: cut)
      try await script.next().fail(cut)
      // That was retriable: not the longest pause. What is refused would be asked for in 600 seconds.
      try await script.next().fail(refused)
      async let newcomer = hub.subscribe(to: "a")
      let call = try await script.next()
      #expect(call.name == "subscribe a")
      call.fail(refused)
      do {
        _ = try await newcomer
        Issue.record("no error")
      } catch let error as BroadcastError {
        #expect(error.code == .refused)
      }
      async let second = hub.subscribe(to: "a")
      try await script.next().succeed()
      var late = try await second.makeAsyncIterator()
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 2) == ["gap:?:connectionLost", "gap:?:connectionLost"])
      inbox.received(Message("x", to: "a"))
      #expect(try await texts(&iterator, 1) == ["x"])
      #expect(try await texts(&late, 1) == ["x"])
    }
  }

  @Test("a subscription that ends again and again is asked for later and later")
  func pace() throws {
    var configuration = HubConfiguration()
    configuration.shortestReconnectDelay = .milliseconds(100)
    configuration.longestReconnectDelay = .seconds(2)
    var pace = RenewalPace()
    let pauses: [Duration] = try (0..<7).map { _ in
      let pause = pace.plan(after: cut, configuration)
      // One is planned, so there is no second.
      let second = pace.plan(after: cut, configuration)
      #expect(second == nil)
      pace.isPlanned = false
      pace.succeeded()
      return try #require(pause)
    }
    for (index, most) in [100, 200, 400, 800, 1_600, 2_000, 2_000].enumerated() {
      #expect(pauses[index] >= .milliseconds(most / 2) && pauses[index] <= .milliseconds(most))
    }
    var refusals: Set<Duration> = []
    for _ in 1...20 {
      let planned = pace.plan(after: refused, configuration)
      let pause = try #require(planned)
      pace.isPlanned = false
      #expect(pause >= .seconds(1) && pause <= .seconds(2))
      refusals.insert(pause)
    }
    // Channels that are refused together do not come back together.
    #expect(refusals.count > 1)
  }

  @Test("the events say which channel was lost, when it is tried, and that it is back")
  func events() async throws {
    let events = Lock<[BroadcastEvent]>([])
    let configuration = HubConfiguration.quick { event in events.withLock { $0.append(event) } }
    try await withScript(configuration) { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await script.next().succeed()
      let subscription = try await subscribing
      inbox.lost("a", because: cut)
      inbox.lost("a", because: cut)
      inbox.lost("nobody's", because: cut)
      try await script.next().succeed()
      while !events.withLock({ $0.contains { $0.kind == .resubscribed } }) { await Task.yield() }
      let told = events.withLock { $0 }.filter { $0.kind != .connected }
      #expect(told.map(\.kind) == [.connectionLost, .retrying, .resubscribed])
      #expect(told[0].channel == "a" && told[1].channel == "a" && told[1].delay != nil)
      withExtendedLifetime(subscription) {}
    }
  }

  @Test("what waits to be asked for again is asked for by the next connection")
  func connectionLostMeanwhile() async throws {
    var configuration = HubConfiguration.quick()
    configuration.longestReconnectDelay = .seconds(600)
    try await withScript(configuration) { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (session, inbox) = try await script.connect()
      try await script.next().succeed()
      var iterator = try await subscribing.makeAsyncIterator()
      inbox.lost("a", because: refused)
      session.fail(cut)
      _ = try await script.connect()
      let renewal = try await script.next()
      #expect(renewal.name == "subscribe a")
      renewal.succeed()
      #expect(try await texts(&iterator, 1) == ["gap:?:connectionLost"])
    }
  }
}
