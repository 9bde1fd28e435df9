//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Database

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Of the PostgreSQL that the tests may use.
let databaseURL = getenv("DATABASE_URL").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }

struct NoDatabase: Error {}

/// Runs a database on it.
func with<Result: Sendable>(
  connections: Int = 2, limits: Database.Limits = .init(),
  _ body: @escaping @Sendable (Database) async throws -> Result
) async throws -> Result {
  guard let databaseURL else { throw NoDatabase() }
  return try await withDatabase(databaseURL, connections: connections, limits: limits, body)
}

/// Makes a table with a name that nobody else has, and drops it in the end.
func withTable(_ columns: String, in database: Database, _ body: (String) async throws -> Void) async throws {
  let table = "t_\(UInt64.random(in: 0...(.max)))"
  try await database.execute("CREATE TABLE \(table) (\(columns))")
  let result: Result<Void, any Error>
  do { result = .success(try await body(table)) } catch { result = .failure(error) }
  try await database.execute("DROP TABLE \(table)")
  try result.get()
}
