//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Database

@Suite("A database's URL", .timeLimit(.minutes(2)))
struct URLTests {
  @Test(
    "is refused without a word of its password",
    arguments: [
      "postgers://ed:sesame@localhost/app", "postgres://ed:ses%zzsesame@localhost/app",
      "postgres://ed:a@sesame@localhost/app",
      "postgres://ed:a/sesame@localhost/app", "ed:sesame@localhost", "",
      "postgres://ed:sesame@localhost/app?nonsense=1",
      "host=localhost password=sesame",
    ])
  func refused(_ url: String) {
    let error = #expect(throws: DatabaseError.self) { try Database(url) }
    #expect(error?.code == .invalidURL)
    #expect(error?.description.contains("sesame") == false)
  }

  @Test("nobody there: the error names no password")
  func unreachable() async throws {
    var limits = Database.Limits()
    limits.patience = .milliseconds(500)
    // Port 1 is nobody's.
    let error = await #expect(throws: DatabaseError.self) {
      try await withDatabase("postgres://ed:sesame@127.0.0.1:1/app", limits: limits) { database in
        try await database.execute("SELECT 1")
      }
    }
    #expect(error?.code == .unavailable)
    #expect(error?.description.contains("sesame") == false)
  }

  @Test("without run() a statement fails, and does not wait for ever")
  func never() async throws {
    var limits = Database.Limits()
    limits.patience = .milliseconds(50)
    let database = try Database("postgres://127.0.0.1:1/app", limits: limits)
    let error = await #expect(throws: DatabaseError.self) { try await database.execute("SELECT 1") }
    #expect(error?.code == .notRunning)
  }

  @Test("what is asked before run() waits for it", .enabled(if: databaseURL != nil, "DATABASE_URL names no PostgreSQL"))
  func before() async throws {
    let databaseURL = try #require(databaseURL)
    let database = try Database(databaseURL)
    try await withThrowingTaskGroup(of: [Int].self) { group in
      group.addTask { try await database.query("SELECT 1", as: Int.self) }
      group.addTask {
        try await database.run()
        return []
      }
      let first = try await group.next()
      #expect(first == [1])
      group.cancelAll()
    }
  }
}
