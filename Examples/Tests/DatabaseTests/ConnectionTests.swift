//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Database

@Suite("Connections", .enabled(if: databaseURL != nil, "DATABASE_URL names no PostgreSQL"), .timeLimit(.minutes(2)))
struct ConnectionTests {
  @Test("one that was lost is opened again, and a statement that was under way throws")
  func lost() async throws {
    try await with(connections: 1) { (database: Database) async throws in
      try await with(connections: 1) { (other: Database) async throws in
        let kill = "SELECT pg_terminate_backend($1)"
        let first = try await database.query("SELECT pg_backend_pid()", as: Int.self)
        try await other.query(kill, [Parameter(first[0])])
        // It says so before it goes.
        try await untilGone(first[0], in: other)
        let second = try await database.query("SELECT pg_backend_pid()", as: Int.self)
        #expect(second != first)

        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            let error = await #expect(throws: DatabaseError.self) { try await database.query("SELECT pg_sleep(100)") }
            #expect(error?.code == .unavailable)
          }
          try await untilActive("SELECT pg_sleep(100)", second[0], in: other)
          try await other.query(kill, [Parameter(second[0])])
          try await group.waitForAll()
        }
        #expect(try await database.query("SELECT 1", as: Int.self) == [1])
      }
    }
  }

  @Test("cancelling the task ends the statement, at the server too")
  func cancelled() async throws {
    try await with(connections: 1) { (database: Database) async throws in
      try await with(connections: 1) { (other: Database) async throws in
        let id = try await database.query("SELECT pg_backend_pid()", as: Int.self)[0]
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            let error = await #expect(throws: DatabaseError.self) { try await database.query("SELECT pg_sleep(101)") }
            #expect(error?.code == .cancelled)
          }
          try await untilActive("SELECT pg_sleep(101)", id, in: other)
          group.cancelAll()
          try await group.waitForAll()
        }
        try await untilGone(id, in: other)
        #expect(try await database.query("SELECT 1", as: Int.self) == [1])
      }
    }
  }

  @Test("a statement that takes too long is given up")
  func slow() async throws {
    var limits = Database.Limits()
    limits.statement = .milliseconds(200)
    try await with(limits: limits) { (database: Database) async throws in
      let error = await #expect(throws: DatabaseError.self) { try await database.query("SELECT pg_sleep(100)") }
      #expect(error?.code == .timedOut)
      #expect(try await database.query("SELECT 1", as: Int.self) == [1])
    }
  }

  @Test("beyond the limit nobody waits, and those who wait are woken by the end")
  func queue() async throws {
    try await with(connections: 1) { (other: Database) async throws in
      var limits = Database.Limits()
      limits.waiting = 2
      try await with(connections: 1, limits: limits) { [limits] (database: Database) async throws in
        let id = try await database.query("SELECT pg_backend_pid()", as: Int.self)[0]
        try await withThrowingTaskGroup(of: DatabaseError.Code?.self) { group in
          group.addTask { await code { try await database.query("SELECT pg_sleep(102)") } }
          try await untilActive("SELECT pg_sleep(102)", id, in: other)
          for _ in 0..<(limits.waiting + 1) {
            group.addTask { await code { try await database.query("SELECT 1") } }
          }
          #expect(try await group.next() == .busy)
          group.cancelAll()
          for try await code in group { #expect(code == .cancelled) }
        }
      }
    }
  }

  @Test("those who wait too long are told so")
  func patience() async throws {
    var limits = Database.Limits()
    limits.patience = .milliseconds(100)
    try await with(connections: 1, limits: limits) { (database: Database) async throws in
      let error = await #expect(throws: DatabaseError.self) {
        try await database.transaction { transaction in
          try await transaction.query("SELECT 1")
          try await database.query("SELECT 1")
        }
      }
      #expect(error?.code == .busy)
    }
  }

  @Test("the end of run() ends a statement that is under way, and after it there are none")
  func end() async throws {
    guard let databaseURL else { throw NoDatabase() }
    let database = try Database(databaseURL, connections: 1)
    let other = try Database(databaseURL, connections: 1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await database.run() }
      let id = try await database.query("SELECT pg_backend_pid()", as: Int.self)[0]
      try await withThrowingTaskGroup(of: Void.self) { inner in
        inner.addTask { try await other.run() }
        async let code: DatabaseError.Code? = code { try await database.query("SELECT pg_sleep(103)") }
        try await untilActive("SELECT pg_sleep(103)", id, in: other)
        group.cancelAll()
        #expect(await code == .notRunning)
        try await untilGone(id, in: other)
        inner.cancelAll()
        try await inner.waitForAll()
      }
      try await group.waitForAll()
    }
    #expect(await code { try await database.query("SELECT 1") } == .notRunning)
    #expect(await code { try await database.run() } == .notRunning)
  }

  @Test("a hundred tasks share two connections")
  func many() async throws {
    try await with(connections: 2) { (database: Database) async throws in
      let ids = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<100 {
          group.addTask {
            let rows = try await database.query("SELECT $1::integer AS n, pg_backend_pid() AS id", [Parameter(number)])
            #expect(rows.first?["n"] == "\(number)")
            return try #require(rows.first?["id"].flatMap { Int($0) })
          }
        }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(ids.count <= 2)
    }
  }

  /// Returns when the server runs the statement, as another connection sees it.
  private func untilActive(_ sql: String, _ id: Int, in other: Database) async throws {
    let active = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query = $2"
    while try await other.query(active, [Parameter(id), Parameter(sql)], as: Int.self) == [0] {}
  }

  /// Returns when the server has ended a connection.
  private func untilGone(_ id: Int, in other: Database) async throws {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
    while try await other.query(count, [Parameter(id)], as: Int.self) == [1] {}
  }

  /// The code of the error with which a call fails.
  private func code(_ call: () async throws -> some Any) async -> DatabaseError.Code? {
    do {
      _ = try await call()
      return nil
    } catch {
      return (error as? DatabaseError)?.code
    }
  }
}
