//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport

@testable import BroadcastingPostgres

/// Whether the tests that need a database run.
let isDatabaseWanted = Tool.postgres.isWanted && Tool.psql.isWanted

/// Runs `body` with a database and a broadcast over it.
func withDatabase(
  _ database: String = "postgres", encoding: String? = nil,
  _ body: (PostgresServer, PostgresBroadcast) async throws -> Void
) async throws {
  try await PostgresServer.with { server in
    if let encoding { try await server.createDatabase(database, encoding: encoding) }
    try await withBroadcast(try PostgresBroadcast(server.url(database: database))) { broadcast in
      try await body(server, broadcast)
    }
  }
}

/// The next deliveries of a subscription: the text of messages, "binary", or "gap".
func heard(_ count: Int, of iterator: inout Subscription.Iterator) async throws -> [String] {
  var all: [String] = []
  while all.count < count, let delivery = try await iterator.next() {
    switch delivery {
    case .message(let message): all.append(message.text ?? "binary \(message.payload)")
    case .gap: all.append("gap")
    }
  }
  return all
}
