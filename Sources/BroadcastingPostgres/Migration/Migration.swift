//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension PostgresBroadcast {
  /// SQL that installs `broadcast.publish(channel, message)`, for text and for `bytea`: it publishes inside the caller's own
  /// transaction, from a trigger or any program.
  ///
  /// It makes a schema `broadcast` with functions, and nothing else. It is one statement, so all of it is done or nothing,
  /// inside a transaction too. It can be run again, also by several at once, and replaces what is there except the rights.
  /// It needs PostgreSQL 11 and the right to create a schema. `DROP SCHEMA broadcast CASCADE` removes it. The backend does
  /// not need it.
  public static var migration: String { String(decoding: PackageResources.broadcast_sql, as: UTF8.self) }
}
