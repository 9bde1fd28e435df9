//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "A PostgreSQL for tests", .enabled(if: Tool.postgres.isWanted && Tool.psql.isWanted, "PostgreSQL is missing"),
  .timeLimit(.minutes(1)))
struct PostgresServerTests {
  @Test("it answers, and has databases of any encoding")
  func answers() async throws {
    try await PostgresServer.with { postgres in
      #expect(try await postgres.psql("SELECT 1, 'é'") == "1|é")
      try await postgres.createDatabase("old", encoding: "LATIN1")
      #expect(try await postgres.psql("SHOW server_encoding", database: "old") == "LATIN1")
    }
  }

  @Test("it comes back on its port after a crash of all its processes, with what was committed")
  func restart() async throws {
    try await PostgresServer.with { postgres in
      try await postgres.psql("CREATE TABLE kept (number int); INSERT INTO kept VALUES (1)")
      let client = try await postgres.startPSQL()
      try client.send("SELECT 'here';")
      try await client.line(containing: "here")
      try await postgres.kill()
      await #expect(throws: ProgramError.self) { try await postgres.psql("SELECT 1") }
      try await postgres.start()
      #expect(try await postgres.psql("SELECT number FROM kept") == "1")
      // Its own process was killed with the others, so it can't answer on.
      try client.send("SELECT 'still here';")
      try await client.line(.errors, containing: "server closed the connection unexpectedly")
    }
  }

  @Test("it hangs when it is frozen, and answers what came meanwhile when it is thawed")
  func freezing() async throws {
    try await PostgresServer.with { postgres in
      let client = try await postgres.startPSQL()
      try client.send("SELECT 'warm';")
      try await client.line(containing: "warm")
      postgres.freeze()
      try client.send("SELECT 'late';")
      await #expect(throws: ProgramError.self) { try await client.line(containing: "late", within: .milliseconds(300)) }
      postgres.thaw()
      try await client.line(containing: "late")
    }
  }

  @Test("it asks for a password, and speaks TLS")
  func options() async throws {
    var options = PostgresServer.Options()
    options.password = "secret"
    let certificates = try TestCertificates()
    options.certificates = certificates
    options.settings = ["max_connections": "20"]
    try await PostgresServer.with(options) { postgres in
      #expect(postgres.url == "postgres://postgres:secret@\(postgres.address)/postgres")
      #expect(try await postgres.psql("SHOW max_connections") == "20")
      let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
      let secure = "?sslmode=verify-full&sslrootcert=\(certificates.authority)"
      let psql = try await ChildProcess(Tool.psql.path, ["-At", "-c", query, postgres.url + secure])
      try await psql.exit()
      #expect(psql.transcript() == ["t"])
      let refused = try await ChildProcess(
        Tool.psql.path, ["-w", "-c", query, "postgres://postgres@\(postgres.address)/postgres"])
      #expect(try await refused.exit() == .code(2))
    }
  }
}
