//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "A standby of PostgreSQL",
  .enabled(if: Broker.postgres.isStartable && Tool.pgBaseBackup.isWanted, "PostgreSQL is missing"),
  .timeLimit(.minutes(1)))
struct StandbyTests {
  /// Runs `body` with a primary and a standby that follows it.
  private func withStandby(_ body: (_ primary: PostgresServer, _ standby: PostgresServer) async throws -> Void)
    async throws
  {
    var options = PostgresServer.Options()
    options.settings = PostgresServer.Options.replication
    try await PostgresServer.with(options) { primary in
      options.primary = primary
      try await PostgresServer.with(options) { standby in try await body(primary, standby) }
    }
  }

  @Test("a standby is told as one, with what to write instead, and is taken once it is promoted")
  func promotion() async throws {
    try await withStandby { _, standby in
      let events = Events()
      let start = ContinuousClock.now
      try await withBroadcast(try Broker.postgres.open(standby.url, events)) { broadcast in
        try await wait(for: "the refusal") { events.count(.retrying, since: start) > 0 }
        let told = events.transcript(since: start)
        #expect(told.contains("25006") && told.contains("primary"), "\(told)")
        #expect(told.contains("target_session_attrs=read-write"), "\(told)")
        #expect(!broadcast.statistics.isAvailable)
        try await standby.promote()
        var deliveries = try await broadcast.subscribe(to: "a").makeAsyncIterator()
        try await broadcast.publish("promoted", to: "a")
        #expect(try await deliveries.next() == .message(Message("promoted", to: "a")))
      }
    }
  }

  @Test("of several hosts the one that can be written to is taken, and after a failover the new one")
  func failover() async throws {
    try await withStandby { primary, standby in
      let url = "postgres://postgres@\(standby.address),\(primary.address)/postgres?target_session_attrs=read-write"
      try await withBroadcast(try Broker.postgres.open(url, Events())) { broadcast in
        var deliveries = try await broadcast.subscribe(to: "a").makeAsyncIterator()
        try await primary.psql("NOTIFY a, 'from the primary'")
        #expect(try await deliveries.next() == .message(Message("from the primary", to: "a")))
        try await primary.kill()
        try await standby.promote()
        #expect(try await deliveries.next() == .gap(Gap(channel: "a", missed: nil, reason: .connectionLost)))
        try await standby.psql("NOTIFY a, 'from the standby'")
        #expect(try await deliveries.next() == .message(Message("from the standby", to: "a")))
        try await broadcast.publish("to the standby", to: "a")
        #expect(try await deliveries.next() == .message(Message("to the standby", to: "a")))
      }
    }
  }

  @Test("standbys alone, with none that can be written to, are an error which says so")
  func noPrimary() async throws {
    try await withStandby { _, standby in
      let events = Events()
      let start = ContinuousClock.now
      let broadcast = try Broker.postgres.open("\(standby.url)?target_session_attrs=read-write", events)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try? await broadcast.run() }
        try await wait(for: "the refusal") { events.count(.retrying, since: start) > 0 }
        group.cancelAll()
      }
      let told = events.transcript(since: start)
      #expect(told.contains("read-only") && told.contains("primary"), "\(told)")
    }
  }
}
