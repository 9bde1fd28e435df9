//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("A held commit", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct HeldCommitTests {
  private static let sessions =
    "SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity WHERE application_name = 'swift-broadcast'"
  private static let held = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

  /// Runs `body` while a transaction that has notified waits at its commit for a standby which there is not.
  private func withHeldCommit(
    on server: PostgresServer, _ body: (_ release: () async throws -> Void) async throws -> Void
  ) async throws {
    let psql = try await server.startPSQL()
    try psql.send("BEGIN; CREATE TABLE written (); NOTIFY held; COMMIT; SELECT 'over';")
    while try await server.psql("SELECT count(*) \(Self.held)") != "1" { await Task.yield() }
    try await body {
      try await server.psql("SELECT pg_cancel_backend(pid) \(Self.held)")
      try await psql.line(containing: "over")
    }
  }

  private var options: PostgresServer.Options {
    var options = PostgresServer.Options()
    options.settings = PostgresServer.Options.replication
    options.settings["synchronous_standby_names"] = "nobody"
    return options
  }

  @Test("while a commit is held up publishing says so, and the sessions stay and go on")
  func connected() async throws {
    try await PostgresServer.with(options) { server in
      let events = Events()
      let configuration = PostgresBroadcast.Configuration { events.append($0) }
      try await withBroadcast(try PostgresBroadcast(server.url, configuration: configuration)) { broadcast in
        var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
        try await broadcast.publish("before", to: "a")
        #expect(try await heard(1, of: &iterator) == ["before"])
        let sessions = try await server.psql(Self.sessions)
        let start = ContinuousClock.now
        try await withHeldCommit(on: server) { release in
          var refusals: [BroadcastError] = []
          // Longer than a connection may be silent.
          while ContinuousClock.now - start < .seconds(11) {
            let error = await #expect(throws: BroadcastError.self) { try await broadcast.publish("x", to: "a") }
            #expect(error?.isRetriable == true)
            // One that had to wait for the probe first may not be answered in its time.
            if let error, error.code != .timedOut { refusals.append(error) }
          }
          #expect(!refusals.isEmpty && refusals.allSatisfy { $0.outcome == .notSent })
          #expect(refusals.allSatisfy { $0.message.contains("55P03") && $0.message.contains("SyncRep") })
          #expect(try await server.psql(Self.sessions) == sessions)
          try await release()
        }
        try await broadcast.publish("after", to: "a")
        // The last one may have been under way.
        var last = try await heard(1, of: &iterator)
        while last == ["x"] { last = try await heard(1, of: &iterator) }
        #expect(last == ["after"])
        #expect(events.count(.connectionLost) == 0)
      }
    }
  }

  @Test("who starts while a commit is held up leaves no sessions behind, and is connected as soon as it is not")
  func starting() async throws {
    try await PostgresServer.with(options) { server in
      try await withHeldCommit(on: server) { release in
        let events = Events()
        let start = ContinuousClock.now
        let configuration = PostgresBroadcast.Configuration { events.append($0) }
        try await withBroadcast(try PostgresBroadcast(server.url, configuration: configuration)) { broadcast in
          try await settle {
            let sessions = try await server.psql(Self.sessions).split(separator: " ")
            // Those of this attempt, and of the last one what is about to end.
            #expect(sessions.count <= 4, "\(sessions)")
            return events.count(.retrying) >= 3
          }
          let told = events.transcript(since: start)
          #expect(told.contains("55P03") && told.contains("SyncRep"), "\(told)")
          try await release()
          var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
          try await broadcast.publish("x", to: "a")
          #expect(try await heard(1, of: &iterator) == ["x"])
          #expect(try await server.psql(Self.sessions).split(separator: " ").count == 2)
        }
      }
    }
  }
}
