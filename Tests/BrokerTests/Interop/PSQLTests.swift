//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingPostgres
import TestSupport
import Testing

@Suite(
  "psql on the same broker",
  .enabled(if: Tool.postgres.isWanted && Tool.psql.isWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct PSQLTests {
  @Test("what it notifies arrives, byte for byte")
  func theirs() async throws {
    try await PostgresServer.with { postgres in
      try await withBroadcast(postgres.url, among: [.postgres]) { broadcast in
        let arrived = try await ForeignText.arrivals(of: ForeignText.all, at: broadcast, on: "a b") { text in
          let quoted = text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
          try await postgres.psql("SELECT pg_notify('a b', '\(quoted)')")
        }
        #expect(arrived == ForeignText.all.map { Message($0, to: "a b") })

        let subscription = try await broadcast.subscribe(to: ["plain", "Case; \"quoted\""])
        var deliveries = subscription.makeAsyncIterator()
        // Without quotes the database takes capitals for small letters.
        try await postgres.psql("NOTIFY Plain, 'one'")
        #expect(try await deliveries.next() == .message(Message("one", to: "plain")))
        try await postgres.psql(#"NOTIFY "Case; ""quoted""", 'two'"#)
        #expect(try await deliveries.next() == .message(Message("two", to: "Case; \"quoted\"")))
        try await postgres.psql("NOTIFY plain")
        #expect(try await deliveries.next() == .message(Message("", to: "plain")))
      }
    }
  }

  @Test("it hears what we publish, byte for byte")
  func ours() async throws {
    try await PostgresServer.with { postgres in
      let psql = try await postgres.startPSQL()
      try psql.send(#"LISTEN "a b"; SELECT 'listening';"#)
      try await psql.line(containing: "listening")
      try await withBroadcast(postgres.url, among: [.postgres]) { broadcast in
        for text in ForeignText.all where !text.contains("\n") {
          try await broadcast.publish(text, to: "a b")
          // It looks for what came when it has been asked for something.
          try psql.send("SELECT 1;")
          let line = try await psql.line(containing: "Asynchronous notification")
          let payload = text.isEmpty ? "" : " with payload \"\(text)\""
          #expect(line.hasPrefix("Asynchronous notification \"a b\"\(payload) received from server process"))
        }
      }
    }
  }
}
