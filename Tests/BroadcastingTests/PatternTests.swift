//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

@testable import Broadcasting

private let broken = BroadcastError(.unavailable, "Broken.", isRetriable: true)

@Suite("Subscriptions to patterns", .timeLimit(.minutes(2)))
struct PatternTests {
  @Test("a pattern and a channel with the same text get each their own")
  func apart() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let channel = try await broadcast.subscribe(to: "a*")
      let pattern = try await broadcast.subscribe(to: ChannelPattern("a*"))
      #expect(channel.channels == ["a*"] && channel.pattern == nil)
      #expect(pattern.channels.isEmpty && pattern.pattern == ChannelPattern("a*"))
      #expect(broadcast.statistics.channels == 1)
      #expect(broadcast.statistics.patterns == 1)
      for name in ["abc", "b", "a*"] { try await broadcast.publish("to \(name)", to: Channel(name)) }
      try await broadcast.publish([Message("batch", to: "ax"), Message("batch", to: "x")])
      var iterator = pattern.makeAsyncIterator()
      var channels: [Channel] = []
      while channels.count < 3, case .message(let message)? = try await iterator.next() {
        channels.append(message.channel)
      }
      #expect(channels == ["abc", "a*", "ax"])
      var other = channel.makeAsyncIterator()
      #expect(try await texts(&other, 1) == ["to a*"])
      pattern.cancel()
      #expect(broadcast.statistics.patterns == 0)
    }
  }

  @Test("a slow reader of a pattern gets a gap that names it")
  func slow() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let pattern = ChannelPattern("a?")
      let subscription = try await broadcast.subscribe(
        to: pattern, options: .init(buffer: .dropOldest(maximumMessages: 2)))
      for number in 0..<5 { try await broadcast.publish("\(number)", to: Channel("a\(number)")) }
      var iterator = subscription.makeAsyncIterator()
      guard case .gap(let gap)? = try await iterator.next() else { throw CancellationError() }
      #expect(gap == Gap(pattern: pattern, missed: 3, reason: .slowConsumer))
      #expect(gap != Gap(channel: "a?", missed: 3, reason: .slowConsumer))
      #expect("\(gap)" == "Gap(pattern: a?, missed: 3, reason: slowConsumer)")
      #expect(try await texts(&iterator, 2) == ["3", "4"])
      #expect(broadcast.statistics.gaps == 1)
      #expect(broadcast.statistics.dropped == 3)
      #expect(broadcast.statistics.delivered == 2)
    }
  }

  @Test("who reads a channel by its name and who reads it by a pattern see one order")
  func commonOrder() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let channel = try await broadcast.subscribe(to: "a")
      let pattern = try await broadcast.subscribe(to: ChannelPattern("*"))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for publisher in 0..<4 {
          group.addTask {
            for number in 0..<200 { try await broadcast.publish("\(publisher).\(number)", to: "a") }
          }
        }
        try await group.waitForAll()
      }
      var (one, other) = (channel.makeAsyncIterator(), pattern.makeAsyncIterator())
      #expect(try await texts(&one, 800) == texts(&other, 800))
    }
  }

  @Test("an invalid channel is refused also where a pattern would take it")
  func invalidChannel() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: ChannelPattern("*"))
      let error = await failure { try await broadcast.publish("x", to: "a\0") }
      #expect(error?.code == .invalidChannel)
      withExtendedLifetime(subscription) {}
    }
  }

  @Test("one subscription at the broker serves all readers of a pattern, and ends with the last")
  func driver() async throws {
    try await withScript(capabilities: .init(hasPatterns: true)) { hub, script in
      async let one = hub.subscribe(to: ChannelPattern("a*"))
      async let other = hub.subscribe(to: "a*")
      let (_, inbox) = try await script.connect()
      let calls = [try await script.next(), try await script.next()].sorted { $0.name < $1.name }
      #expect(calls.map(\.name) == ["psubscribe a*", "subscribe a*"])
      for call in calls { call.succeed() }
      let two = try await hub.subscribe(to: ChannelPattern("a*"))
      let (first, channel) = try await (one, other)
      inbox.received([Message("x", to: "abc"), Message("probe", to: "__broadcast.1")], matching: ChannelPattern("a*"))
      inbox.received([Message("y", to: "ab")], matching: ChannelPattern("a*"))
      inbox.missed(7, matching: ChannelPattern("a*"))
      inbox.received(Message("z", to: "a*"))
      for subscription in [first, two] {
        var iterator = subscription.makeAsyncIterator()
        #expect(try await texts(&iterator, 3) == ["x", "y", "gap:7:brokerLoss"])
      }
      var iterator = channel.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["z"])
      first.cancel()
      two.cancel()
      let leaving = try await script.next()
      #expect(leaving.name == "punsubscribe a*")
      leaving.succeed()
    }
  }

  @Test("a pattern is renewed after a lost connection, and the gap says so")
  func renewal() async throws {
    let events = Lock<[String]>([])
    let configuration = HubConfiguration.quick { event in
      if event.pattern != nil { events.withLock { $0.append("\(event.kind) \(event.pattern?.glob ?? "")") } }
    }
    try await withScript(configuration, capabilities: .init(hasPatterns: true)) { hub, script in
      async let asked = hub.subscribe(to: ChannelPattern("a*"))
      let (session, _) = try await script.connect()
      try await script.next().succeed()
      let subscription = try await asked
      session.fail(broken)
      let (_, inbox) = try await script.connect()
      let renewed = try await script.next()
      #expect(renewed.name == "psubscribe a*")
      renewed.succeed()
      var iterator = subscription.makeAsyncIterator()
      #expect(
        try await iterator.next() == .gap(Gap(pattern: ChannelPattern("a*"), missed: nil, reason: .connectionLost)))

      inbox.lost(ChannelPattern("a*"), because: broken, reason: .brokerLoss)
      try await script.next().succeed()
      #expect(try await iterator.next() == .gap(Gap(pattern: ChannelPattern("a*"), missed: nil, reason: .brokerLoss)))
      #expect(events.withLock { $0 } == ["connectionLost a*", "retrying a*"])
      #expect(hub.statistics.gaps == 2)
      #expect(hub.statistics.reconnects == 1)
    }
  }

  @Test("a backend without patterns says so, and asks no broker")
  func unsupported() async throws {
    try await withScript { hub, script in
      _ = try await script.connect()
      let error = await failure { try await hub.subscribe(to: ChannelPattern("a*")) }
      #expect(error?.code == .unsupportedPatterns)
      #expect(error?.isRetriable == false)
    }
  }
}
