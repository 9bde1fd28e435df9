//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Testing

@testable import Broadcasting

private let broken = BroadcastError(.unavailable, "Broken.", isRetriable: true)

@Suite("Counters", .timeLimit(.minutes(2)))
struct StatisticsTests {
  @Test("gaps are counted for each reader, and are no messages that were delivered")
  func gaps() async throws {
    try await withScript { hub, script in
      async let asked = hub.subscribe(to: "a")
      let (session, inbox) = try await script.connect()
      try await script.next().succeed()
      let subscriptions = [try await asked, try await hub.subscribe(to: "a")]
      inbox.received([Message("1", to: "a"), Message("2", to: "a")], on: "a")
      inbox.missed(nil, on: "a")
      #expect(hub.statistics.reconnects == 0)
      session.fail(broken)
      _ = try await script.connect()
      try await script.next().succeed()
      for subscription in subscriptions {
        var iterator = subscription.makeAsyncIterator()
        #expect(try await texts(&iterator, 4) == ["1", "2", "gap:?:brokerLoss", "gap:?:connectionLost"])
      }
      #expect(hub.statistics.gaps == 4)
      #expect(hub.statistics.delivered == 4)
      #expect(hub.statistics.reconnects == 1)
      for subscription in subscriptions { subscription.cancel() }
      try await script.next().succeed()
      #expect(hub.statistics.gaps == 4)
    }
  }

  @Test("the last probe's delay is told while its connection lasts")
  func probes() async throws {
    let events = Lock<[BroadcastEvent]>([])
    let configuration = HubConfiguration.quick { event in
      if event.kind == .probeSlow { events.withLock { $0.append(event) } }
    }
    try await withScript(configuration) { hub, script in
      let (session, inbox) = try await script.connect()
      #expect(hub.statistics.probeDelay == nil)
      inbox.probed(after: .milliseconds(3))
      #expect(hub.statistics.probeDelay == .milliseconds(3))
      inbox.probed(after: .seconds(2))
      #expect(hub.statistics.probeDelay == .seconds(2))
      session.fail(broken)
      let (_, next) = try await script.connect()
      #expect(hub.statistics.probeDelay == nil)
      inbox.probed(after: .milliseconds(9))
      #expect(hub.statistics.probeDelay == nil)
      next.probed(after: .milliseconds(5))
      #expect(hub.statistics.probeDelay == .milliseconds(5))
      #expect(events.withLock { $0.map(\.delay) } == [.seconds(2)])
    }
  }

  @Test("a slow probe is told once, and again only after a quick one")
  func slowProbes() {
    var record = ProbeRecord()
    let delays: [(Int, Bool)] = [
      (1_000, false), (1_001, true), (5_000, false), (600, false), (2_000, false), (499, false), (1_500, true),
    ]
    for (milliseconds, isTold) in delays {
      #expect(record.arrived(after: .milliseconds(milliseconds)) == isTold, "\(milliseconds) ms")
    }
  }
}
