//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("Rights at a database", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct RightsTests {
  private func url(_ server: PostgresServer) -> String { "postgres://guest@\(server.address)/postgres" }

  /// How a start fails that tries once.
  private func failure(_ server: PostgresServer) async throws -> BroadcastError {
    var configuration = PostgresBroadcast.Configuration()
    configuration.hub.connectPatience = .zero
    let broadcast = try PostgresBroadcast(url(server), configuration: configuration)
    return try #require(await #expect(throws: BroadcastError.self) { try await broadcast.run() })
  }

  @Test("to connect is all the right that is needed")
  func least() async throws {
    try await PostgresServer.with { server in
      try await server.psql(
        """
        CREATE USER guest; REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE postgres FROM PUBLIC;
        GRANT CONNECT ON DATABASE postgres TO guest
        """)
      try await withBroadcast(try PostgresBroadcast(url(server))) { broadcast in
        var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
        let texts = ["x", String(repeating: "y", count: 20_000)]
        try await broadcast.publish(texts.map { Message($0, to: "a") })
        #expect(try await heard(2, of: &iterator) == texts)
      }
    }
  }

  @Test("a user without the right to connect, or to log in, is told at once what to do")
  func noEntry() async throws {
    try await PostgresServer.with { server in
      try await server.psql("CREATE USER guest; REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
      let connecting = try await failure(server)
      #expect(connecting.code == .refused && !connecting.isRetriable)
      #expect(connecting.message.contains("42501") && connecting.message.contains("right to connect"), "\(connecting)")
      try await server.psql("ALTER USER guest NOLOGIN")
      let loggingIn = try await failure(server)
      #expect(loggingIn.code == .refused && !loggingIn.isRetriable)
      #expect(loggingIn.message.contains("28000") && loggingIn.message.contains("Correct the user"), "\(loggingIn)")
    }
  }

  @Test("too few connections are told with what to do, and tried again until there are enough, also while running")
  func tooManyConnections() async throws {
    try await PostgresServer.with { server in
      try await server.psql("CREATE USER guest CONNECTION LIMIT 1")
      let error = try await failure(server)
      #expect(error.code == .unavailable && error.isRetriable)
      #expect(error.message.contains("53300") && error.message.contains("takes two connections"), "\(error)")
      #expect(error.message.contains("max_connections") && error.message.contains("the user's"), "\(error)")

      let refusals = Lock(0)
      let configuration = PostgresBroadcast.Configuration { event in
        if event.kind == .retrying, event.error?.message.contains("53300") == true { refusals.withLock { $0 += 1 } }
      }
      try await server.psql("ALTER USER guest CONNECTION LIMIT 2")
      try await withBroadcast(try PostgresBroadcast(url(server), configuration: configuration)) { broadcast in
        var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
        try await server.psql(
          """
          ALTER USER guest CONNECTION LIMIT 1;
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guest'
          """)
        try await settle { refusals.withLock { $0 } > 0 }
        let refused = await #expect(throws: BroadcastError.self) { try await broadcast.publish("lost", to: "a") }
        #expect(refused?.isRetriable == true && refused?.outcome == .notSent)
        try await server.psql("ALTER USER guest CONNECTION LIMIT 2")
        #expect(try await heard(1, of: &iterator) == ["gap"])
        try await broadcast.publish("back", to: "a")
        #expect(try await heard(1, of: &iterator) == ["back"])
      }
    }
  }
}
