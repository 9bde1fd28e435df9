//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

/// Questions that a broker does not answer.
extension BrokerHistoryTests {
  @Test("a history that can't be asked twice in a row leaves a gap; the channel goes on")
  func failing() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await next(&script, "open a").succeed(at: position(2))
      let subscription = try await subscribing
      inbox.received(messages(5...5), on: "a")
      try await next(&script, "read a after 5-2").fail(broken)
      try await next(&script, "read a after 5-2").fail(broken)
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 2) == ["gap:?:connectionLost", "5"])
    }
  }

  @Test("a question for a past that fails fails who asked, and nobody else")
  func failingJoin() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await next(&script, "open a").succeed(at: position(2))
      let subscription = try await subscribing
      async let joining = failure { try await hub.subscribe(to: "a", from: .last(2)) }
      try await next(&script, "read a last 2").fail(broken)
      #expect(await joining?.message == "Broken.")
      inbox.received(messages(3...3), on: "a")
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["3"])
    }
  }

  @Test("who begins live while a hole is read does not fail because another's past could not be read")
  func failingJoinBesideLive() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await next(&script, "open a").succeed(at: position(2))
      let subscription = try await subscribing
      async let joining = failure { try await hub.subscribe(to: "a", from: .last(2)) }
      let call = try await next(&script, "read a last 2")
      inbox.received(messages(5...5), on: "a")
      async let live = hub.subscribe(to: "a")
      while hub.statistics.subscribers < 3 { await Task.yield() }
      call.fail(broken)
      #expect(await joining?.message == "Broken.")
      try await next(&script, "read a after 5-2").succeed(with: page(3...5, head: 5))
      let joined = try await live
      #expect(joined.recovery(of: "a") == Recovery(head: position(5)))
      inbox.received(messages(6...6), on: "a")
      for (subscription, expected) in [(subscription, ["3", "4", "5", "6"]), (joined, ["6"])] {
        var iterator = subscription.makeAsyncIterator()
        #expect(try await texts(&iterator, expected.count) == expected)
      }
    }
  }

  @Test("a hole that could not be read is not asked for again at once")
  func pause() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await next(&script, "open a").succeed(at: position(2))
      let subscription = try await subscribing
      inbox.received(messages(5...5), on: "a")
      let first = try await next(&script, "read a after 5-2")
      let start = ContinuousClock.now
      first.fail(broken)
      let second = try await next(&script, "read a after 5-2")
      #expect(ContinuousClock.now - start >= Hub.pauseBeforeAnotherAttempt / 2)
      second.succeed(with: page(3...5, head: 5))
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 3) == ["3", "4", "5"])
    }
  }

  @Test("a renewal that is refused for good is told at once, and what was missed is read when it succeeds")
  func refusedRenewal() async throws {
    try await withHistory { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      try await next(&script, "open a").succeed(at: position(2))
      let subscription = try await subscribing
      session.fail(broken)
      _ = try await script.connect()
      try await next(&script, "open a").fail(broken)
      try await next(&script, "open a").fail(BroadcastError(.refused, "No."))
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["gap:?:connectionLost"])
      try await next(&script, "open a").succeed(at: position(4))
      try await next(&script, "read a after 5-2").succeed(with: page(3...4, head: 4))
      #expect(try await texts(&iterator, 2) == ["3", "4"])
    }
  }
}
