//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Testing

@testable import Broadcasting

private let cut = BroadcastError(.unavailable, "Cut.", isRetriable: true)

@Suite("News of renewals", .timeLimit(.minutes(2)))
struct RenewalNewsTests {
  @Test("the first of a kind is told at once, and those that follow within the second as one, with their number")
  func gathered() {
    var news = RenewalNews()
    let first = news.admit(.init(.retrying, channel: "a"))
    #expect(first.events.map(\.description) == ["retrying channel=a"])
    #expect(first.beginsInterval)
    let other = news.admit(.init(.refused, channel: "b"))
    #expect(other.events.map(\.description) == ["refused channel=b"])
    #expect(!other.beginsInterval)
    for index in 1...100 {
      let held = news.admit(.init(.retrying, channel: Channel("c\(index)")))
      #expect(held.events.isEmpty && !held.beginsInterval)
    }
    #expect(news.endInterval().map(\.description) == ["retrying channel=c100 count=100"])
    // That was told in an interval of its own.
    let next = news.admit(.init(.retrying, channel: "d"))
    #expect(next.events.isEmpty && !next.beginsInterval)
    #expect(news.endInterval().map(\.description) == ["retrying channel=d count=1"])
    #expect(news.endInterval().isEmpty)
    let late = news.admit(.init(.retrying, channel: "e"))
    #expect(late.events.map(\.description) == ["retrying channel=e"])
    #expect(late.beginsInterval)
  }

  @Test("renewed channels are added up, and what happened last is told last")
  func counted() {
    var news = RenewalNews()
    #expect(news.admit(.init(.resubscribed, count: 1)).events.map(\.count) == [1])
    #expect(news.admit(.init(.retrying, channel: "a")).events.map(\.count) == [nil])
    for channel in ["b", "c"] as [Channel] {
      #expect(news.admit(.init(.resubscribed, count: 2)).events.isEmpty)
      #expect(news.admit(.init(.retrying, channel: channel)).events.isEmpty)
    }
    #expect(news.admit(.init(.resubscribed, count: 1)).events.isEmpty)
    #expect(news.endInterval().map(\.description) == ["retrying channel=c count=2", "resubscribed count=5"])
  }

  @Test("the first of a kind is told after all that came before it")
  func order() {
    var news = RenewalNews()
    #expect(news.admit(.init(.retrying, channel: "a")).events.map(\.description) == ["retrying channel=a"])
    #expect(news.admit(.init(.retrying, channel: "b")).events.isEmpty)
    let renewed = news.admit(.init(.resubscribed, count: 2))
    #expect(renewed.events.map(\.description) == ["retrying channel=b count=1", "resubscribed count=2"])
    #expect(!renewed.beginsInterval)
    // Both kinds have been told in this interval.
    #expect(news.admit(.init(.retrying, channel: "c")).events.isEmpty)
    #expect(news.admit(.init(.resubscribed, count: 1)).events.isEmpty)
    #expect(news.endInterval().map(\.description) == ["retrying channel=c count=1", "resubscribed count=1"])
  }

  @Test("what is held back can be told before the interval is over")
  func takenEarly() {
    var news = RenewalNews()
    for channel in ["a", "b"] as [Channel] { _ = news.admit(.init(.retrying, channel: channel)) }
    #expect(news.takeHeld().map(\.description) == ["retrying channel=b count=1"])
    #expect(news.takeHeld().isEmpty)
    #expect(news.admit(.init(.retrying, channel: "c")).events.isEmpty)
  }

  @Test("a broker that ends many subscriptions makes few events, and none goes uncounted")
  func manyChannels() async throws {
    let events = Lock<[BroadcastEvent]>([])
    let configuration = HubConfiguration.quick { event in events.withLock { $0.append(event) } }
    let channels = (0..<200).map { Channel("c\($0)") }
    func told(_ kind: BroadcastEvent.Kind) -> [Int] {
      events.withLock { $0.filter { $0.kind == kind }.map { $0.count ?? 1 } }
    }
    try await withScript(configuration) { hub, script in
      async let subscribing = hub.subscribe(to: channels)
      let (_, inbox) = try await script.connect()
      for _ in channels { try await script.next().succeed() }
      let subscription = try await subscribing
      for channel in channels { inbox.lost(channel, because: cut) }
      for _ in channels { try await script.next().succeed() }
      for kind in [BroadcastEvent.Kind.connectionLost, .retrying, .resubscribed] {
        while told(kind).reduce(0, +) < channels.count { await Task.yield() }
        #expect(told(kind).reduce(0, +) == channels.count)
        #expect(told(kind).count < channels.count / 4)
      }
      withExtendedLifetime(subscription) {}
    }
  }

  @Test("a pause is described in whole milliseconds")
  func pause() {
    let pause = Duration(secondsComponent: 1, attosecondsComponent: 97_322_552_427_710_800)
    #expect(BroadcastEvent(.retrying, delay: pause).description == "retrying delay=1.097 seconds")
  }

  @Test("what is held back is told before the end")
  func atTheEnd() async throws {
    let events = Lock<[BroadcastEvent]>([])
    var configuration = HubConfiguration.quick { event in events.withLock { $0.append(event) } }
    configuration.shortestReconnectDelay = .seconds(600)
    configuration.longestReconnectDelay = .seconds(600)
    try await withScript(configuration) { hub, script in
      async let subscribing = hub.subscribe(to: ["a", "b", "c"])
      let (_, inbox) = try await script.connect()
      for _ in 1...3 { try await script.next().succeed() }
      let subscription = try await subscribing
      for channel in ["a", "b", "c"] as [Channel] { inbox.lost(channel, because: cut) }
      withExtendedLifetime(subscription) {}
    }
    let told = events.withLock { $0 }
    for kind in [BroadcastEvent.Kind.connectionLost, .retrying] {
      #expect(told.filter { $0.kind == kind }.reduce(0) { $0 + ($1.count ?? 1) } == 3)
    }
    #expect(told.last?.kind == .ended)
  }
}
