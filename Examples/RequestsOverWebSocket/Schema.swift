//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingPostgres
import Database

/// The tables, and what a change tells.
enum Schema {
  static func install(in database: Database) async throws {
    // `broadcast.publish`, which publishes with a transaction's commit.
    try await database.migrate("broadcast", PostgresBroadcast.migration)
    try await database.migrate("users", String(decoding: PackageResources.migration_sql, as: UTF8.self))
  }
}
