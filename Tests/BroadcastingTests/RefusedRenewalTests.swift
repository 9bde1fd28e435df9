//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Testing

@testable import Broadcasting

private let refused = BroadcastError(.refused, "No.")
private let broken = BroadcastError(.unavailable, "Broken.", isRetriable: true)

@Suite("Renewals that a broker refuses", .timeLimit(.minutes(2)))
struct RefusedRenewalTests {
  @Test("who hears nothing while a renewal is refused is told at once, and again when it succeeds")
  func toldAtOnce() async throws {
    try await withScript { hub, script in
      async let old = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      try await script.next().succeed()
      let subscription = try await old
      session.fail(broken)
      let (_, inbox) = try await script.connect()
      try await script.next().fail(refused)
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["gap:?:connectionLost"])
      try await script.next().fail(refused)
      let again = try await script.next()
      again.succeed()
      // What came between the first gap and the success is missing as well.
      #expect(try await texts(&iterator, 1) == ["gap:?:connectionLost"])
      inbox.received(Message("x", to: "a"))
      #expect(try await texts(&iterator, 1) == ["x"])
    }
  }

  @Test("those whose sessions are refused do not all come back at the same moment")
  func spread() async throws {
    let delays = Lock<Set<Duration>>([])
    let configuration = HubConfiguration.quick { event in
      if event.kind == .refused, let delay = event.delay { delays.withLock { _ = $0.insert(delay) } }
    }
    try await withScript(configuration) { _, script in
      let (session, _) = try await script.connect()
      session.fail(refused)
      for _ in 1...20 { try await script.next().fail(refused) }
      _ = try await script.next()
      let most = configuration.longestReconnectDelay
      #expect(delays.withLock { $0.count } > 1)
      #expect(delays.withLock { $0.allSatisfy { $0 >= most / 2 && $0 <= most } })
    }
  }

  @Test("a refusal is not counted as renewed, and does not keep the count from being told")
  func counting() async throws {
    let counts = Lock<[Int?]>([])
    let configuration = HubConfiguration.quick { event in
      if event.kind == .resubscribed { counts.withLock { $0.append(event.count) } }
    }
    try await withScript(configuration) { hub, script in
      async let both = hub.subscribe(to: ["a", "b"])
      let (session, _) = try await script.connect()
      try await script.next().succeed()
      try await script.next().succeed()
      let subscription = try await both
      session.fail(broken)
      _ = try await script.connect()
      try await script.next().succeed()
      try await script.next().fail(refused)
      try await script.next().succeed()
      while counts.withLock({ $0.count }) < 2 { await Task.yield() }
      #expect(counts.withLock { $0 } == [1, 1])
      withExtendedLifetime(subscription) {}
    }
  }

  @Test("a refused renewal is tried again, slowly, and its readers stay")
  func refusedRenewal() async throws {
    try await withScript { hub, script in
      async let old = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      try await script.next().succeed()
      let subscription = try await old
      session.fail(broken)
      _ = try await script.connect()
      try await script.next().fail(refused)
      let again = try await script.next()
      #expect(again.name == "subscribe a")
      again.succeed()
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["gap:?:connectionLost"])
    }
  }
}
