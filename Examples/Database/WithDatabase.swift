//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import BroadcastingServer

/// Runs a database while the closure runs.
///
/// - Throws: what the closure throws, and ``DatabaseError/Code/invalidURL``.
public func withDatabase<Result: Sendable>(
  _ url: String, connections: Int = 4, limits: Database.Limits = .init(),
  _ body: @escaping @Sendable (Database) async throws -> Result
) async throws -> Result {
  let database = try Database(url, connections: connections, limits: limits)
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await database.run() }
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(database)) } catch { result = .failure(error) }
    group.cancelAll()
    try await group.waitForAll()
    return try result.get()
  }
}

/// The same with the database that the variable `DATABASE_URL` names.
///
/// - Throws: what the closure throws, and `ProgramSettingError` where the variable is not set, or is no such URL.
public func withDatabase<Result: Sendable>(
  of settings: ProgramSettings, connections: Int = 4, limits: Database.Limits = .init(),
  _ body: @escaping @Sendable (Database) async throws -> Result
) async throws -> Result {
  let url = try settings.required("DATABASE_URL", such: "postgres://user:password@localhost:5432/database")
  do throws(DatabaseError) { _ = try DatabaseURL(url) } catch {
    throw ProgramSettingError("DATABASE_URL", "DATABASE_URL: \(error.message)")
  }
  return try await withDatabase(url, connections: connections, limits: limits, body)
}
