//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingTesting
import TestSupport
import Testing

@Suite(
  "A pooler before PostgreSQL",
  .enabled(if: Broker.postgres.isStartable && Tool.pgbouncer.isWanted, "PostgreSQL or pgbouncer is missing"),
  .timeLimit(.minutes(1)))
struct PoolerTests {
  @Test("a backend conforms behind a pool in session mode")
  func conforms() async throws {
    try await PostgresServer.with { server in
      let pooler = try await PGBouncer(to: server, .session)
      try await ConformanceSuite { try Broker.postgres.open(pooler.url(), Events()) }.run()
    }
  }

  @Test("behind a pool in session mode a server that crashed is a gap, and the next messages arrive")
  func crash() async throws {
    try await PostgresServer.with { server in
      let pooler = try await PGBouncer(to: server, .session)
      try await withBroadcast(try Broker.postgres.open(pooler.url(), Events())) { broadcast in
        var deliveries = try await broadcast.subscribe(to: "a").makeAsyncIterator()
        try await broadcast.publish("before", to: "a")
        #expect(try await deliveries.next() == .message(Message("before", to: "a")))
        try await server.restart()
        #expect(try await deliveries.next() == .gap(Gap(channel: "a", missed: nil, reason: .connectionLost)))
        try await broadcast.publish("after", to: "a")
        #expect(try await deliveries.next() == .message(Message("after", to: "a")))
      }
    }
  }

  @Test("a pool with a session too few is told as one that does not answer, and works once it has two")
  func tooFewSessions() async throws {
    try await PostgresServer.with { server in
      let pooler = try await PGBouncer(to: server, .session, sessions: 1)
      let events = Events()
      let start = ContinuousClock.now
      let url = pooler.url() + "?connect_timeout=2"
      try await withBroadcast(try Broker.postgres.open(url, events)) { broadcast in
        try await wait(for: "the end of an attempt") { events.count(.retrying, since: start) > 0 }
        let told = events.transcript(since: start)
        #expect(told.contains("timedOut") && told.contains("pooler") && told.contains("two sessions"), "\(told)")
        try await pooler.setSessions(2)
        var deliveries = try await broadcast.subscribe(to: "a").makeAsyncIterator()
        try await broadcast.publish("x", to: "a")
        #expect(try await deliveries.next() == .message(Message("x", to: "a")))
      }
    }
  }

  @Test(
    "a pool that gives each transaction another session is an error at once, which says what to do",
    arguments: [PGBouncer.Mode.transaction, .statement])
  func deaf(mode: PGBouncer.Mode) async throws {
    try await PostgresServer.with { server in
      let pooler = try await PGBouncer(to: server, mode)
      let broadcast = try Broker.postgres.open(pooler.url(), Events())
      let error = await #expect(throws: BroadcastError.self) { try await broadcast.run() }
      #expect(error?.code == .refused && error?.isRetriable == false)
      #expect(error?.message.contains("pgbouncer") == true && error?.message.contains("session mode") == true)
      // What the pool gives to others is as it was.
      let psql = try await ChildProcess(
        Tool.psql.path,
        [
          "-AtX", "-c", "SELECT count(*) FROM pg_listening_channels()", "-c", "TABLE pg_prepared_statements",
          pooler.url(),
        ])
      #expect(try await psql.exit() == .code(0))
      #expect(psql.transcript() == ["0"])
    }
  }
}
