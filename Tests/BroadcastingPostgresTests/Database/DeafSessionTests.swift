//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import TestSupport
import Testing

@testable import Broadcasting
@testable import BroadcastingPostgres

@Suite("A deaf session", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct DeafSessionTests {
  @Test("where what is published is not heard, starting fails, and names the poolers that do that")
  func deaf() async throws {
    try await PostgresServer.with { server in
      // What is notified in one database is not heard in another: as little as through a pooler.
      try await server.createDatabase("other")
      let failure = try await withEventLoops(count: 1) { loops in
        try await TwoDatabases(
          listening: PostgresURL(BackendURL(server.url)),
          publishing: PostgresURL(BackendURL(server.url(database: "other"))),
          on: loops[0]
        ).failure()
      }
      let error = try #require(failure)
      #expect(error.code == .refused && !error.isRetriable)
      #expect(error.message.contains("pgbouncer"))
    }
  }

  @Test("a line that goes dead before it hears the first probe is no deaf one, and may be tried again")
  func dead() async throws {
    try await PostgresServer.with { server in
      let failure = try await FaultyProxy.with(to: server.port) { proxy in
        await proxy.set(.silentBehindAnswer(to: "LISTEN"))
        let url = try PostgresURL(BackendURL(server.url(port: proxy.port)))
        return try await withEventLoops(count: 1) { loops in
          await TwoDatabases(listening: url, publishing: url, on: loops[0]).failure()
        }
      }
      let error = try #require(failure)
      #expect(error.code == .timedOut && error.isRetriable)
      #expect(!error.message.contains("pgbouncer"))
    }
  }

  @Test("nothing is set in a session, or prepared, by which others could be hurt behind a pooler")
  func settings() async throws {
    var options = PostgresServer.Options()
    options.settings["log_statement"] = "all"
    try await PostgresServer.with(options) { server in
      try await server.createDatabase("other")
      _ = try await withEventLoops(count: 1) { loops in
        try await TwoDatabases(
          listening: PostgresURL(BackendURL(server.url)),
          publishing: PostgresURL(BackendURL(server.url(database: "other"))),
          on: loops[0]
        ).failure()
      }
      // The last of them; the log is read a little later than it is written.
      try await settle { server.log.contains { $0.contains("statement: UNLISTEN ") } }
      #expect(Self.lasting(in: server.log) == [])
    }
  }

  /// The statements that stay in a session.
  private static func lasting(in log: [String]) -> [String] {
    log.filter { line in
      ["statement: SELECT pg_catalog.set_config", "statement: PREPARE", "statement: SET "].contains {
        line.contains($0)
      }
    }
  }

  @Test("a missing right to notify ends a start at once, and is named")
  func right() async throws {
    try await PostgresServer.with { server in
      try await server.psql("REVOKE EXECUTE ON FUNCTION pg_notify(text, text) FROM PUBLIC")
      try await server.psql("CREATE USER mute")
      let broadcast = try PostgresBroadcast("postgres://mute@\(server.address)/postgres")
      let error = await #expect(throws: BroadcastError.self) { try await broadcast.run() }
      #expect(error?.code == .refused && error?.isRetriable == false)
      #expect(error?.message.contains("42501") == true && error?.message.contains("pg_notify") == true)
    }
  }
}

/// A session whose connections go to two databases.
private actor TwoDatabases {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let listening: PostgresURL
  private let publishing: PostgresURL

  init(listening: PostgresURL, publishing: PostgresURL, on loop: EventLoop) {
    self.listening = listening
    self.publishing = publishing
    self.loop = loop
  }

  /// How opening it fails.
  func failure() async -> BroadcastError? {
    let name = ChannelName("\(Channel.reservedPrefix)probe.x".utf8)
    let opening = SessionOpening(
      PostgresDialer(listening, limit: .seconds(5), on: loop), PostgresDialer(publishing, limit: .seconds(5), on: loop),
      name, commitTimeout: .seconds(2))
    do throws(BroadcastError) {
      let (first, second) = try await opening.open()
      first.close()
      second.close()
    } catch {
      return error
    }
    return nil
  }
}
