//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("A database of bytes", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct UncheckedTextTests {
  @Test("what others notify there is binary where it is no UTF-8, and ends no session")
  func bytes() async throws {
    try await PostgresServer.with { server in
      try await server.createDatabase("bytes", encoding: "SQL_ASCII")
      let events = Lock<[BroadcastEvent]>([])
      let configuration = PostgresBroadcast.Configuration { event in events.withLock { $0.append(event) } }
      let broadcast = try PostgresBroadcast(server.url(database: "bytes"), configuration: configuration)
      try await withBroadcast(broadcast) { broadcast in
        var iterator = try await broadcast.subscribe(to: ["größe"]).makeAsyncIterator()
        try await server.psql(
          #"SET client_encoding TO 'SQL_ASCII'; SELECT pg_notify('größe', E'bad\x81')"#, database: "bytes")
        try await broadcast.publish("süß", to: "größe")
        #expect(try await heard(2, of: &iterator) == ["binary [98, 97, 100, 129]", "süß"])
      }
      #expect(!events.withLock { $0.contains { $0.kind == .connectionLost } })
    }
  }
}
