//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension Database {
  /// The key of the lock that keeps two programs from migrating at a time: any number that nobody else uses.
  private static let migrationLock = 7_283_651_940

  /// Runs the statements of a file once: in one transaction, and never again in this database under the same name, however many
  /// programs start at a time. What was run is kept in the table `migrations`.
  ///
  /// - Parameters:
  ///   - name: of the migration. A change of its statements needs a new name.
  ///   - statements: any that can be run in a transaction.
  /// - Returns: whether it was run now.
  @discardableResult
  public func migrate(_ name: String, _ statements: String) async throws -> Bool {
    try await transaction { transaction in
      try await transaction.query("SELECT pg_advisory_xact_lock($1)", [Parameter(Self.migrationLock)])
      try await transaction.execute(
        "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, time timestamptz NOT NULL DEFAULT now())")
      let isNew = try await transaction.execute(
        "INSERT INTO migrations (name) VALUES ($1) ON CONFLICT DO NOTHING", [Parameter(name)])
      guard isNew == 1 else { return false }
      try await transaction.executeAll(statements)
      return true
    }
  }
}
