//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite(
  "Publishing by SQL under other settings", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"),
  .timeLimit(.minutes(1)))
struct CallersSettingsTests {
  private func expect(_ texts: [String], after sql: String) async throws {
    try await withDatabase("shop", encoding: "UTF8") { server, broadcast in
      try await server.psql(PostgresBroadcast.migration, database: "shop")
      var iterator = try await broadcast.subscribe(to: ["a", "A"]).makeAsyncIterator()
      try await server.psql("\(sql); SELECT broadcast.publish('a', 'end')", database: "shop")
      #expect(try await heard(texts.count + 1, of: &iterator) == texts + ["end"])
    }
  }

  @Test("backslashes that escape in all strings change nothing")
  func backslashes() async throws {
    try await expect(
      ["\u{2}bcx", "binary [98]"],
      after: #"""
        SET standard_conforming_strings = off; SET escape_string_warning = off;
        SELECT broadcast.publish('a', E'\x02bcx'), broadcast.publish('a', decode('62', 'hex'))
        """#)
  }

  @Test("a collation for which different text is equal, or none that is clear, changes nothing")
  func collations() async throws {
    try await expect(
      ["x", "X", "x", "\u{2}bcx", "b", "both"],
      after: #"""
        CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
        CREATE TABLE orders (channel text COLLATE loose, message text COLLATE loose, other text COLLATE "C");
        CREATE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM broadcast.publish(NEW.channel, NEW.message); RETURN NEW; END $$;
        CREATE TRIGGER announce AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION announce();
        INSERT INTO orders VALUES ('a', 'x'), ('a', 'X'), ('a', 'x'), ('a', E'\x02bcx'), ('A', 'b');
        SELECT broadcast.publish(channel || '', message || other)
          FROM (SELECT 'a' COLLATE loose AS channel, 'bo' COLLATE loose AS message, 'th' COLLATE "C" AS other) AS mixed
        """#)
  }

  @Test("long and repeated ones arrive also after a reset of all settings inside the transaction")
  func reset() async throws {
    let long = String(repeating: "y", count: 9_000)
    try await expect(
      [long, "x", "x", long, "y", "y"],
      after: """
        BEGIN; SELECT broadcast.publish('a', repeat('y', 9000)), broadcast.publish('a', 'x'), broadcast.publish('a', 'x');
        RESET ALL; SELECT broadcast.publish('a', repeat('y', 9000)), broadcast.publish('a', 'y'), broadcast.publish('a', 'y');
        COMMIT
        """)
  }
}
