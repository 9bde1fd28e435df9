//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Database

@Suite("Transactions", .enabled(if: databaseURL != nil, "DATABASE_URL names no PostgreSQL"), .timeLimit(.minutes(2)))
struct TransactionTests {
  struct Failure: Error {}

  @Test("are committed when the closure returns, and rolled back when it throws")
  func ends() async throws {
    try await with { (database: Database) async throws in
      try await withTable("number integer", in: database) { (table: String) async throws in
        try await database.transaction { transaction in
          try await transaction.execute("INSERT INTO \(table) VALUES (1)")
        }
        await #expect(throws: Failure.self) {
          try await database.transaction { transaction in
            try await transaction.execute("INSERT INTO \(table) VALUES (2)")
            throw Failure()
          }
        }
        #expect(try await database.query("SELECT number FROM \(table)", as: Int.self) == [1])
      }
    }
  }

  @Test("a statement that failed fails the transaction, also where the closure hides it")
  func hiddenFailure() async throws {
    try await with { (database: Database) async throws in
      let error = await #expect(throws: DatabaseError.self) {
        try await database.transaction { transaction in _ = try? await transaction.query("SELECT 1 / 0") }
      }
      #expect(error?.code == .refused)
      #expect(try await database.query("SELECT 1", as: Int.self) == [1])
    }
  }

  @Test("a cancelled task's transaction is rolled back, and its connection goes on")
  func cancelled() async throws {
    try await with(connections: 1) { (database: Database) async throws in
      try await withTable("number integer", in: database) { (table: String) async throws in
        await withTaskGroup(of: Void.self) { group in
          let (inside, isInside) = AsyncStream.makeStream(of: Void.self)
          group.addTask {
            _ = try? await database.transaction { transaction in
              try await transaction.execute("INSERT INTO \(table) VALUES (1)")
              isInside.finish()
              try await transaction.query("SELECT pg_sleep(100)")
            }
          }
          for await _ in inside {}
          group.cancelAll()
        }
        #expect(try await database.query("SELECT count(*) FROM \(table)", as: Int.self) == [0])
      }
    }
  }

  @Test("what one leaves open by its own statements is over for the next")
  func leftOpen() async throws {
    try await with(connections: 1) { (database: Database) async throws in
      try await database.execute("BEGIN")
      #expect(try await database.query("SELECT pg_current_xact_id_if_assigned() IS NULL", as: Bool.self) == [true])
      await #expect(throws: DatabaseError.self) { try await database.query("SAVEPOINT x") }
    }
  }

  @Test("a transaction that got out of its closure takes no statement any more")
  func escaped() async throws {
    try await with { (database: Database) async throws in
      let transaction = try await database.transaction { $0 }
      let error = await #expect(throws: DatabaseError.self) { try await transaction.query("SELECT 1") }
      #expect(error?.code == .notRunning)
    }
  }

  @Test("repeatable read sees one state")
  func isolation() async throws {
    try await with { (database: Database) async throws in
      try await withTable("number integer", in: database) { (table: String) async throws in
        try await database.transaction(.repeatableRead) { transaction in
          let before = try await transaction.query("SELECT count(*) FROM \(table)", as: Int.self)
          try await database.execute("INSERT INTO \(table) VALUES (1)")
          #expect(try await transaction.query("SELECT count(*) FROM \(table)", as: Int.self) == before)
        }
      }
    }
  }

  @Test("a migration runs once, however many programs start at a time")
  func migration() async throws {
    try await with(connections: 8) { (database: Database) async throws in
      let name = "m_\(UInt64.random(in: 0...(.max)))"
      let statements =
        "CREATE TABLE \(name) (number integer); INSERT INTO \(name) VALUES (1); INSERT INTO \(name) VALUES (2)"
      let runs = try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<8 { group.addTask { try await database.migrate(name, statements) } }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(runs == 1)
      #expect(try await database.query("SELECT number FROM \(name)", as: Int.self) == [1, 2])
      // A part that fails takes all of it back.
      await #expect(throws: DatabaseError.self) {
        try await database.migrate("\(name)_broken", "DROP TABLE \(name); SELECT 1 / 0")
      }
      #expect(try await database.query("SELECT number FROM \(name)", as: Int.self) == [1, 2])
      try await database.execute("DROP TABLE \(name)")
      try await database.execute("DELETE FROM migrations WHERE name LIKE $1", [Parameter("\(name)%")])
    }
  }
}
