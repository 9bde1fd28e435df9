//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingJSON
import BroadcastingPostgres
import TestSupport

/// A row by the texts of its columns, whatever they are.
typealias Texts = [String: String?]

/// A database with the functions in it, and a broadcast over it.
func withFunctions(
  encoding: String = "UTF8", _ body: (PostgresServer, PostgresBroadcast) async throws -> Void
) async throws {
  try await withDatabase("shop", encoding: encoding) { server, broadcast in
    try await server.psql(PostgresBroadcast.migration, database: "shop")
    try await body(server, broadcast)
  }
}

extension RowChange {
  /// The action and the rows in one line, to compare: "UPDATE old > new".
  func line(_ text: (Row) -> String) -> String {
    "\(action.rawValue) \(old.map(text) ?? "-") > \(new.map(text) ?? "-")"
  }
}

extension RowChanges.Iterator {
  /// The next changes. A gap ends them, which no test here expects.
  mutating func changes(_ count: Int) async throws -> [RowChange<Row>] {
    var all: [RowChange<Row>] = []
    while all.count < count, case .change(let change) = try await next() { all.append(change) }
    return all
  }
}
