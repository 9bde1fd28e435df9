//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "broadcast postgres as a process",
  .enabled(if: Tool.postgres.isWanted && Tool.psql.isWanted, "PostgreSQL is missing"),
  .timeLimit(.minutes(2)))
struct PostgresWatchTests {
  private func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> (exit: ChildProcess.Exit, output: String, words: String) {
    let process = try await ServerProcess.command(["postgres"] + arguments, environment: environment)
    let exit = try await process.exit()
    return (
      exit, process.transcript().joined(separator: "\n"), process.transcript(.errors).joined(separator: "\n")
    )
  }

  @Test("a table is watched, heard by another command, and not watched any longer")
  func watch() async throws {
    try await PostgresServer.with { server in
      try await server.psql("CREATE TABLE \"Order lines\" (id int, name text)")
      let table = "\"Order lines\""
      let watch = ["watch", table, server.url, "--channel", "lines", "--column", "id", "--where", "id > 1"]
      #expect(try await run(watch).exit == .code(0))
      let subscriber = try await ServerProcess.command(["subscribe", server.url, "lines"])
      try await subscriber.line(.errors, containing: "subscribed")
      try await server.psql("INSERT INTO \(table) VALUES (1, 'a'), (2, 'b')")
      #expect(try await subscriber.line().contains(#""action":"INSERT""#))
      #expect(subscriber.transcript().contains { $0.contains(#""new":{"id":2},"old":null"#) })
      subscriber.signal(.terminate)
      try await subscriber.exit()
      let unwatch = try await run(
        ["unwatch", table, "--channel", "lines"], environment: ["BROADCAST_URL": server.url])
      #expect(unwatch.exit == .code(0), "\(unwatch)")
      #expect(try await server.psql("SELECT count(*) FROM pg_trigger") == "0")
    }
  }

  @Test("what it prints for a migration does the same")
  func printing() async throws {
    try await PostgresServer.with { server in
      let watch = try await run(["watch", "orders", "-c", "it's", "--key", "id", "--print"])
      let unwatch = try await run(["unwatch", "orders", "-c", "it's", "--print"])
      let migration = try await run(["migration"])
      #expect([watch, unwatch, migration].allSatisfy { $0.exit == .code(0) && $0.words.isEmpty })
      try await server.psql("CREATE TABLE orders (id int); \(migration.output); \(watch.output)")
      #expect(try await server.psql("SELECT count(*) FROM pg_trigger") == "2")
      try await server.psql(unwatch.output)
      #expect(try await server.psql("SELECT count(*) FROM pg_trigger") == "0")
    }
  }

  @Test("what the database refuses is one line, with its exit code")
  func refused() async throws {
    try await PostgresServer.with { server in
      let refused = try await run(["watch", "nix", server.url, "-c", "a"])
      #expect(refused.exit == .code(22) && refused.words.contains("\"nix\" does not exist"), "\(refused)")
      let foreign = try await run(["watch", "nix", "redis://localhost", "-c", "a"])
      #expect(foreign.exit == .code(1) && foreign.words.contains("postgres://"), "\(foreign)")
      let away = try await run(["watch", "nix", "postgres://127.0.0.1:1/shop", "-c", "a"])
      #expect(away.exit == .code(7), "\(away)")
    }
  }
}
