//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import FoundationEssentials
import Testing

@testable import Database

/// On the PostgreSQL that `DATABASE_URL` names.
@Suite("A database", .enabled(if: databaseURL != nil, "DATABASE_URL names no PostgreSQL"), .timeLimit(.minutes(2)))
struct DatabaseTests {
  struct Todo: Codable, Equatable {
    var id: UUID
    var title: String
    var completed: Bool
    var rank: Int?
    var price: Decimal
    var weight: Double
    var tags: [String]
  }

  @Test("decodes rows exactly, and takes parameters for what they are")
  func rows() async throws {
    try await with { (database: Database) async throws in
      let hostile = "'); DROP TABLE todos; -- \"\\ \u{1F600} é"
      let id = UUID()
      let todos = try await database.query(
        """
        SELECT $1::uuid AS id, $2::text AS title, $3::boolean AS completed, $4::integer AS rank,
          $5::numeric AS price, $6::float8 AS weight, $7::jsonb AS tags
        """,
        [
          Parameter(id), Parameter(hostile), true, nil, "12345678901234567890.12345678901234567",
          Parameter(0.1 + 0.2), try Parameter(json: ["a", "b"]),
        ], as: Todo.self)
      let price = try #require(Decimal(string: "12345678901234567890.12345678901234567"))
      #expect(
        todos == [
          Todo(id: id, title: hostile, completed: true, rank: nil, price: price, weight: 0.1 + 0.2, tags: ["a", "b"])
        ])
    }
  }

  @Test("a String takes a value of any type as the database writes it")
  func text() async throws {
    struct Texts: Decodable { var a, b, c, d, e: String }
    try await with { (database: Database) async throws in
      let rows = try await database.query(
        """
        SELECT 'NaN'::numeric AS a, 9007199254740993 AS b, 'infinity'::timestamptz AS c,
          '2026-11-22 07:08:15.123456+01'::timestamptz AS d, interval '1 day 2 hours' AS e
        """, as: Texts.self)
      #expect(
        rows.map { [$0.a, $0.b, $0.c, $0.d, $0.e] } == [
          ["NaN", "9007199254740993", "infinity", "2026-11-22 06:08:15.123456+00", "P1DT2H"]
        ])
    }
  }

  @Test(
    "what a type can't hold exactly is an error that names the column",
    arguments: [
      ("SELECT 1 AS value, NULL AS other", "other"), ("SELECT 99999999999 AS value, 'x' AS other", "value"),
      ("SELECT 'x' AS value, 'x' AS other", "value"), ("SELECT 1 AS valu", "value"),
    ])
  func undecodable(_ sql: String, _ column: String) async throws {
    struct Pair: Decodable {
      var value: Int32
      var other: String
    }
    try await with { (database: Database) async throws in
      let error = await #expect(throws: DatabaseError.self) { _ = try await database.query(sql, as: Pair.self) }
      #expect(error?.code == .undecodable)
      #expect(error?.message.contains(column) == true, "\(error?.message ?? "")")
    }
  }

  @Test("digits that a Double would lose are an error, and a Decimal has them")
  func digits() async throws {
    try await with { (database: Database) async throws in
      let sql = "SELECT 0.12345678901234567890123456789::numeric"
      for lost in [sql, "SELECT 1e45::numeric + 1", "SELECT 9007199254740993"] {
        await #expect(throws: DatabaseError.self, "\(lost)") { _ = try await database.query(lost, as: Double.self) }
      }
      #expect(try await database.query(sql).first?.values == ["0.12345678901234567890123456789"])
      #expect(try await database.query("SELECT -0.10::numeric", as: Double.self) == [-0.1])
      #expect(try await database.query("SELECT 0.00::numeric", as: Double.self) == [0])
      #expect(try await database.query("SELECT 1e30::numeric", as: Double.self) == [1e30])
      #expect(try await database.query("SELECT 1e23::float8", as: Double.self) == [1e23])
      #expect(try await database.query("SELECT 1.5e-300::float8", as: Double.self) == [1.5e-300])
      #expect(try await database.query("SELECT count(*) FROM (VALUES (1), (2)) AS v", as: Int.self) == [2])
    }
  }

  @Test("an error says what the database refused, and which constraint")
  func refusals() async throws {
    try await with { (database: Database) async throws in
      try await withTable("name text CONSTRAINT name_taken UNIQUE", in: database) { (table: String) async throws in
        #expect(try await database.execute("INSERT INTO \(table) VALUES ($1), ($2)", ["ed", "jo"]) == 2)
        let error = await #expect(throws: DatabaseError.self) {
          try await database.execute("INSERT INTO \(table) VALUES ($1)", ["ed"])
        }
        #expect(error?.code == .refused)
        #expect(error?.sqlState == .uniqueViolation)
        #expect(error?.constraint == "name_taken")
        #expect(try await database.execute("DELETE FROM \(table)") == 2)
      }
      let error = await #expect(throws: DatabaseError.self) {
        try await database.query("SELECT $1::uuid", ["no uuid"])
      }
      #expect(error?.sqlState == .invalidTextRepresentation)
      // The connection is as good as before.
      #expect(try await database.query("SELECT 1", as: Int.self) == [1])
    }
  }

  @Test("a text with NUL is refused, and not cut")
  func nul() async throws {
    try await with { (database: Database) async throws in
      let error = await #expect(throws: DatabaseError.self) { try await database.query("SELECT $1", ["a\u{0}b"]) }
      #expect(error?.code == .invalidParameter)
    }
  }

  @Test("bytes and arrays go as parameters")
  func parameters() async throws {
    try await with { (database: Database) async throws in
      #expect(
        try await database.query("SELECT length($1::bytea)", [Parameter(bytes: [0, 1, 255])], as: Int.self) == [3])
      let words = ["a,b", "\"q\"", "\\", "", "NULL"].map { Parameter($0) } + [nil]
      let rows = try await database.query("SELECT unnest($1::text[]) AS word", [Parameter(array: words)])
      #expect(rows.map { $0["word"] } == words.map(\.text))
    }
  }

  @Test("a result beyond the limit is an error, and the connection goes on")
  func large() async throws {
    var limits = Database.Limits()
    limits.resultBytes = 100_000
    try await with(limits: limits) { (database: Database) async throws in
      let error = await #expect(throws: DatabaseError.self) {
        try await database.query("SELECT repeat('x', 1000), generate_series(1, 100000000)")
      }
      #expect(error?.code == .tooLarge)
      #expect(try await database.query("SELECT 1", as: Int.self) == [1])
    }
  }

  @Test("COPY is refused")
  func copy() async throws {
    try await with { (database: Database) async throws in
      let error = await #expect(throws: DatabaseError.self) { try await database.query("COPY (SELECT 1) TO STDOUT") }
      #expect(error?.code == .invalidParameter)
      #expect(try await database.query("SELECT 1", as: Int.self) == [1])
    }
  }
}
