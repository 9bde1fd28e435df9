//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension PostgresBroadcast {
  /// SQL that installs functions. `broadcast.publish(channel, message)`, for text and for `bytea`, publishes inside the caller's
  /// own transaction, from a trigger or any program. `broadcast.watch(table, channel)` makes a trigger that publishes each change
  /// of the table's rows so, until `broadcast.unwatch(table, channel)`; ``RowWatch/sql`` writes that call.
  ///
  /// It makes a schema `broadcast` with functions, and nothing else. It is one statement, so all of it is done or nothing,
  /// inside a transaction too. It can be run again, also by several at once, and replaces what is there except the rights.
  /// It needs PostgreSQL 11 and the right to create a schema. `DROP SCHEMA broadcast CASCADE` removes it, and all watches with
  /// it. The backend does not need it.
  public static var migration: String {
    let parts = [
      PackageResources.begin_sql, PackageResources.publish_sql, PackageResources.row_changes_sql,
      PackageResources.watch_sql, PackageResources.end_sql,
    ]
    return parts.map { String(decoding: $0, as: UTF8.self) }.joined()
  }
}
