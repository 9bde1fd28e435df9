//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("Publishing by SQL", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct SQLFunctionTests {
  private func withFunctions(
    encoding: String = "UTF8", _ body: (PostgresServer, PostgresBroadcast) async throws -> Void
  ) async throws {
    try await withDatabase("shop", encoding: encoding) { server, broadcast in
      try await server.psql(PostgresBroadcast.migration, database: "shop")
      // It can be run again.
      try await server.psql(PostgresBroadcast.migration, database: "shop")
      try await body(server, broadcast)
    }
  }

  @Test(
    "text, binary, what looks like an envelope, nothing, and what is long arrive as they are",
    arguments: ["UTF8", "LATIN1"])
  func content(encoding: String) async throws {
    try await withFunctions(encoding: encoding) { server, broadcast in
      var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
      try await server.psql(
        #"""
        SELECT broadcast.publish('a', 'gr' || chr(246) || chr(223) || 'e'), broadcast.publish('a', '\x00ff61'::bytea),
          broadcast.publish('a', E'\x02bc1p1 1 1 1 x'), broadcast.publish('a', ''),
          broadcast.publish('a', repeat('x' || chr(233), 10000)), broadcast.publish('a', decode(repeat('00ff', 10000), 'hex'))
        """#, database: "shop")
      let long = String(repeating: "xé", count: 10_000)
      let binary = (0..<20_000).map { UInt8($0 % 2 * 255) }
      #expect(
        try await heard(6, of: &iterator) == [
          "größe", "binary [0, 255, 97]", "\u{2}bc1p1 1 1 1 x", "", long, "binary \(binary)",
        ])
    }
  }

  @Test("plain text is plain on the wire the first time")
  func plain() async throws {
    try await withFunctions { server, _ in
      let psql = try await server.startPSQL(database: "shop")
      try psql.send("LISTEN a; SELECT broadcast.publish('a', 'hello'); SELECT 1;")
      try await psql.line(containing: #"Asynchronous notification "a" with payload "hello""#)
    }
  }

  @Test("equal ones in a transaction all arrive, those of a rolled-back savepoint do not")
  func transactions() async throws {
    try await withFunctions { server, broadcast in
      var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
      try await server.psql("BEGIN; SELECT broadcast.publish('a', 'never'); ROLLBACK", database: "shop")
      try await server.psql(
        """
        BEGIN; SELECT broadcast.publish('a', 'x'), broadcast.publish('a', 'x'), broadcast.publish('a', 'x');
        SAVEPOINT s; SELECT broadcast.publish('a', 'no'), broadcast.publish('a', repeat('no', 5000));
        ROLLBACK TO s; SELECT broadcast.publish('a', 'no'), broadcast.publish('a', repeat('y', 9000)); COMMIT
        """, database: "shop")
      #expect(
        try await heard(5, of: &iterator) == ["x", "x", "x", "no", String(repeating: "y", count: 9_000)])
    }
  }

  @Test("ten thousand in a transaction, each of them twice")
  func many() async throws {
    try await withFunctions { server, broadcast in
      var iterator = try await broadcast.subscribe(
        to: ["a"], options: .init(buffer: .dropOldest(maximumMessages: 20_000, maximumBytes: 1 << 24))
      ).makeAsyncIterator()
      try await server.psql(
        "SELECT count(broadcast.publish('a', 'm' || i / 2)) FROM generate_series(0, 19999) AS i", database: "shop")
      #expect(try await heard(20_000, of: &iterator) == (0..<20_000).map { "m\($0 / 2)" })
    }
  }

  @Test("each message in parts has another number than the one before, in the next transaction too")
  func numbers() async throws {
    try await withFunctions { server, _ in
      let psql = try await server.startPSQL(database: "shop")
      try psql.send("LISTEN a; SELECT 'listening';")
      try await psql.line(containing: "listening")
      var numbers: [Int] = []
      for count in 1...3 {
        try psql.send("SELECT broadcast.publish('a', repeat('x', 8000)); SELECT 'sent \(count)';")
        let line = try await psql.line(containing: " 1 2 8000 ")
        try await psql.line(containing: "sent \(count)")
        let header = line.split(separator: "bc1p").dropFirst().first ?? ""
        numbers.append(try #require(header.split(separator: " ").first.flatMap { Int($0) }))
      }
      #expect(numbers[1] == numbers[0] + 1 && numbers[2] == numbers[1] + 1)
      #expect(numbers.allSatisfy { $0 < 1_000_000_000_000_000 })
    }
  }

  @Test("long names are those of the backend", arguments: [63, 64, 255])
  func names(bytes: Int) async throws {
    try await withFunctions { server, broadcast in
      let name = "N\"a;" + String(repeating: "x", count: bytes - 4)
      var iterator = try await broadcast.subscribe(to: [Channel(name)]).makeAsyncIterator()
      try await server.psql("SELECT broadcast.publish('\(name)', 'here')", database: "shop")
      #expect(try await heard(1, of: &iterator) == ["here"])
    }
  }

  @Test(
    "what can't be published is an error that says why",
    arguments: [
      ("'', 'x'", "empty"), ("null, 'x'", "null"), ("'__broadcast.x', 'x'", "reserved"),
      ("repeat('x', 256), 'x'", "255"), ("'a', null::text", "null"), ("'a', null::bytea", "null"),
      ("'a', repeat('x', 1048577)", "1048576"),
    ])
  func errors(arguments: String, word: String) async throws {
    try await withFunctions { server, _ in
      let error = await #expect(throws: ProgramError.self) {
        try await server.psql("SELECT broadcast.publish(\(arguments))", database: "shop")
      }
      #expect(error.map { "\($0)".contains(word) } == true)
    }
  }

  @Test("it needs no rights, and publishes from a trigger")
  func trigger() async throws {
    try await withFunctions { server, broadcast in
      var iterator = try await broadcast.subscribe(to: ["orders"]).makeAsyncIterator()
      try await server.psql(
        """
        CREATE ROLE clerk; CREATE TABLE orders (number int); GRANT INSERT ON orders TO clerk;
        CREATE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM broadcast.publish('orders', NEW.number::text); RETURN NEW; END $$;
        CREATE TRIGGER announce AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION announce();
        SET ROLE clerk; INSERT INTO orders VALUES (1), (2), (2);
        """, database: "shop")
      #expect(try await heard(3, of: &iterator) == ["1", "2", "2"])
    }
  }
}
