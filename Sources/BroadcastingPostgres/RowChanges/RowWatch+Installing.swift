//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
import BroadcastingNetwork

extension RowWatch {
  /// Begins it in a database, on a connection of its own. Again with the same channel it replaces what is there.
  ///
  /// Where the functions of ``PostgresBroadcast/migration`` are missing, it installs them, which needs the right to create a
  /// schema. The user has to be the table's owner.
  ///
  /// - Parameters:
  ///   - url: As ``PostgresBroadcast/init(_:configuration:)`` takes it.
  ///   - timeout: How long connecting may take, and then the statement, which waits for transactions that have written to the
  ///     table.
  /// - Throws: When the database can't be reached, or refuses; nothing is changed then. After a `timedOut` it may be.
  public func install(in url: String, timeout: Duration = .seconds(10)) async throws(BroadcastError) {
    let watch = self
    try await PostgresErrand.run(in: url, within: timeout, "watch the table \(table)") {
      errand throws(BroadcastError) in
      do throws(PostgresErrand.Refusal) {
        try await errand.run(watch.sql)
      } catch {
        let refusal = error
        do throws(PostgresErrand.Refusal) {
          // Where it is the condition that misses a function, that is to be told, and not who may install these.
          guard refusal.isFunctionMissing, try await !errand.hasFunctions() else { throw refusal }
          // Both in one transaction.
          try await errand.run("\(PostgresBroadcast.migration)\n\(watch.sql)")
        } catch { throw error.error }
      }
    }
  }

  /// Ends it. Nothing of it remains in the table, and where there was nothing, nothing is done.
  ///
  /// - Parameters:
  ///   - url: As ``PostgresBroadcast/init(_:configuration:)`` takes it.
  ///   - timeout: How long connecting may take, and then the statement, which waits for transactions that use the table.
  /// - Throws: When the database can't be reached, or refuses. After a `timedOut` it may be done all the same.
  public func remove(from url: String, timeout: Duration = .seconds(10)) async throws(BroadcastError) {
    try await Self.remove(table: table, channel: channel, from: url, timeout: timeout)
  }

  /// Ends what tells the changes of a table on a channel, whatever else it was told. Otherwise as ``remove(from:timeout:)``.
  public static func remove(
    table: String, channel: Channel, from url: String, timeout: Duration = .seconds(10)
  ) async throws(BroadcastError) {
    let sql = try RowWatch(table: table, channel: channel).removalSQL
    try await PostgresErrand.run(in: url, within: timeout, "end watching the table \(table)") {
      errand throws(BroadcastError) in
      do throws(PostgresErrand.Refusal) {
        try await errand.run(sql)
      } catch {
        // Then nothing is watched.
        if !error.isFunctionMissing { throw error.error }
      }
    }
  }
}
