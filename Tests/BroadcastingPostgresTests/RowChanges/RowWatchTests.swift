//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingJSON
import BroadcastingPostgres
import TestSupport
import Testing

@Suite("Watching a table", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(2)))
struct RowWatchTests {
  private static let table = "CREATE TABLE orders (id int PRIMARY KEY, name text, paid bool DEFAULT false, note text)"

  private func line(_ change: RowChange<Texts>) -> String {
    let text: (Texts) -> String = { row in
      row.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value ?? "null")" }.joined(separator: ",")
    }
    return change.line(text) + (change.condition.map { " \($0)" } ?? "")
  }

  private func triggers(_ server: PostgresServer, _ database: String = "shop") async throws -> String {
    try await server.psql("SELECT count(*) FROM pg_trigger", database: database)
  }

  @Test("chosen columns alone are sent, and an update of others is not told")
  func columns() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(Self.table, database: "shop")
      try await server.psql(try RowWatch(table: "orders", channel: "a", columns: ["name", "id"]).sql, database: "shop")
      var iterator = try await broadcast.subscribe(to: "a").rowChanges(of: Texts.self).makeAsyncIterator()
      try await server.psql(
        """
        INSERT INTO orders VALUES (1, 'x', false, 'n'); UPDATE orders SET note = 'm';
        UPDATE orders SET note = 'o', name = 'y'
        """, database: "shop")
      let changes = try await iterator.changes(2)
      #expect(changes.map(line) == ["INSERT - > id=1,name=x", "UPDATE id=1,name=x > id=1,name=y"])
      #expect(changes[1].changed == ["name"])
    }
  }

  @Test("rows that meet a condition before or after are told, and when they begin and end to do so")
  func condition() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(Self.table, database: "shop")
      let watch = try RowWatch(
        table: "orders", channel: "a", columns: ["id"], condition: "orders.paid AND id > 1 -- so")
      try await server.psql(watch.sql, database: "shop")
      var iterator = try await broadcast.subscribe(to: "a").rowChanges(of: Texts.self).makeAsyncIterator()
      try await server.psql(
        """
        INSERT INTO orders VALUES (1, 'x', true), (2, 'x', true), (3, 'x', false), (4, 'x', null);
        UPDATE orders SET paid = true WHERE id = 3; UPDATE orders SET name = 'y';
        UPDATE orders SET paid = null WHERE id = 2; DELETE FROM orders
        """, database: "shop")
      #expect(
        try await iterator.changes(4).map(line) == [
          "INSERT - > id=2", "UPDATE id=3 > id=3 entered", "UPDATE id=2 > id=2 left", "DELETE id=3 > -",
        ])
    }
  }

  @Test("each key has a channel, and a change of the key is told on both")
  func keys() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(Self.table, database: "shop")
      let watch = try RowWatch(
        table: "orders", channel: "o", columns: ["note"], condition: "paid", key: ["name", "id"])
      try await server.psql(watch.sql, database: "shop")
      let keys: [[String?]] = [["a,b%", "1"], [nil, "1"], [String(repeating: "é", count: 200), "1"], ["%0", "1"]]
      let channels = keys.map { watch.channel(ofKey: $0) }
      #expect(channels[0] == "o:a%2Cb%25,1" && channels[1] == "o:%0,1" && channels[3] == "o:%250,1")
      var iterators: [RowChanges<Texts>.Iterator] = []
      for channel in channels + ["o"] {
        iterators.append(try await broadcast.subscribe(to: channel).rowChanges(of: Texts.self).makeAsyncIterator())
      }
      try await server.psql(
        """
        INSERT INTO orders VALUES (1, 'a,b%', true);
        UPDATE orders SET name = null;
        UPDATE orders SET name = repeat('é', 200);
        UPDATE orders SET name = '%0', paid = false;
        UPDATE orders SET name = 'a,b%', paid = true;
        TRUNCATE orders
        """, database: "shop")
      let actions: [[RowAction]] = [
        [.insert, .update, .update], [.update, .update], [.update, .update], [], [.truncate],
      ]
      for index in iterators.indices {
        #expect(try await iterators[index].changes(actions[index].count).map(\.action) == actions[index])
      }
    }
  }

  @Test("the same channel replaces, another one adds, and nothing remains of what is removed")
  func replacing() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(Self.table, database: "shop")
      let schema = "SELECT coalesce(relacl::text, '') || relhastriggers FROM pg_class WHERE relname = 'orders'"
      let first = try RowWatch(table: "orders", channel: "a")
      let second = try RowWatch(table: "orders", channel: "a", columns: ["id"])
      let other = try RowWatch(table: "public.orders", channel: "b")
      for watch in [first, second, other] { try await server.psql(watch.sql, database: "shop") }
      #expect(try await triggers(server) == "4")
      var iterator = try await broadcast.subscribe(to: ["a", "b"]).rowChanges(of: Texts.self).makeAsyncIterator()
      try await server.psql("INSERT INTO orders VALUES (1)", database: "shop")
      let told = try await iterator.changes(2).map(line)
      #expect(Set(told) == ["INSERT - > id=1", "INSERT - > id=1,name=null,note=null,paid=false"])
      // The same again leaves the triggers as they are, and needs no lock on the table.
      let oids = "SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_trigger"
      let before = try await server.psql(oids, database: "shop")
      let psql = try await server.startPSQL(database: "shop")
      try psql.send("BEGIN; INSERT INTO orders VALUES (2); SELECT 'inserted';")
      try await psql.line(containing: "inserted")
      try await server.psql(second.sql, database: "shop")
      #expect(try await server.psql(oids, database: "shop") == before)
      try psql.send("ROLLBACK;")
      for watch in [second, other, other] { try await server.psql(watch.removalSQL, database: "shop") }
      #expect(try await triggers(server) == "0")
      _ = try await server.psql(schema, database: "shop")
      try await server.psql("DROP SCHEMA broadcast CASCADE", database: "shop")
      #expect(
        try await server.psql(
          "SELECT count(*) FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'broadcast'",
          database: "shop") == "0")
    }
  }

  @Test("several watch and end it at once")
  func atOnce() async throws {
    try await withFunctions { server, _ in
      try await server.psql(Self.table, database: "shop")
      let watches = [
        try RowWatch(table: "orders", channel: "a"), try RowWatch(table: "orders", channel: "a", columns: ["id"]),
      ]
      for _ in 0..<4 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for watch in watches + watches {
            group.addTask { try await server.psql(watch.sql, database: "shop") }
            group.addTask { try await server.psql(watch.removalSQL, database: "shop") }
          }
          try await group.waitForAll()
        }
      }
      try await server.psql(watches[0].sql, database: "shop")
      #expect(try await triggers(server) == "2")
    }
  }

  @Test(
    "what can't be watched is an error that says why",
    arguments: [
      ("'missing', 'a'", "missing"), ("'a_view', 'a'", "a_view"), ("'pg_class', 'a'", "pg_class"),
      ("'orders', ''", "empty"),
      ("'orders', NULL", "null"), ("NULL, 'a'", "table"), ("'orders', 'a', ARRAY['nix']", "\"nix\""),
      ("'orders', 'a', ARRAY[]::text[]", "no column"), ("'orders', 'a', ARRAY[NULL]", "null"),
      ("'orders', 'a', condition => 'nix'", "nix"), ("'orders', 'a', condition => 'id'", "boolean"),
      ("'orders', 'a', condition => ' '", "empty"), ("'orders', 'a', key => ARRAY['nix']", "\"nix\""),
      ("'orders', repeat('x', 181), key => ARRAY['id']", "180"), ("'orders', repeat('x', 256)", "255"),
      ("'orders', '__broadcast.x'", "reserved"), ("'documents', 'a', key => ARRAY['content']", "json"),
    ])
  func errors(arguments: String, word: String) async throws {
    try await withFunctions { server, _ in
      try await server.psql(
        "\(Self.table); CREATE VIEW a_view AS SELECT * FROM orders; CREATE TABLE documents (content json)",
        database: "shop")
      let error = try await #require(throws: ProgramError.self) {
        try await server.psql("SELECT broadcast.watch(\(arguments))", database: "shop")
      }
      #expect("\(error)".replacing(arguments, with: "").contains(word), "\(error)")
      #expect(try await triggers(server) == "0")
    }
  }

  @Test("a column that a watch names and that is gone is an error that says what to do")
  func renamed() async throws {
    try await withFunctions { server, _ in
      try await server.psql(Self.table, database: "shop")
      try await server.psql(try RowWatch(table: "orders", channel: "a", columns: ["note"]).sql, database: "shop")
      let error = try await #require(throws: ProgramError.self) {
        try await server.psql(
          "ALTER TABLE orders RENAME note TO remark; INSERT INTO orders VALUES (1)", database: "shop")
      }
      #expect("\(error)".contains("note") && "\(error)".contains("broadcast.watch()"), "\(error)")
    }
  }

  @Test("only the owner may watch, and whoever writes needs no right for it")
  func rights() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(
        Self.table
          + "; CREATE ROLE owner; CREATE ROLE clerk; ALTER TABLE orders OWNER TO owner; GRANT INSERT, TRIGGER ON orders TO clerk",
        database: "shop")
      for call in ["watch('orders', 'a')", "unwatch('orders', 'a')"] {
        let error = try await #require(throws: ProgramError.self) {
          try await server.psql("SET ROLE clerk; SELECT broadcast.\(call)", database: "shop")
        }
        #expect("\(error)".contains("only the owner") && "\(error)".contains("\"owner\""), "\(error)")
      }
      try await server.psql(
        "SET ROLE owner; SELECT broadcast.watch('orders', 'a', condition => 'id > 0')", database: "shop")
      var iterator = try await broadcast.subscribe(to: "a").rowChanges(of: Texts.self).makeAsyncIterator()
      try await server.psql("SET ROLE clerk; INSERT INTO orders VALUES (1)", database: "shop")
      #expect(try await iterator.changes(1).count == 1)
    }
  }

  @Test("functions and operators of others are not called by a watch")
  func foreignNames() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(Self.table, database: "shop")
      try await server.psql(
        """
        CREATE FUNCTION public.to_json(orders) RETURNS json LANGUAGE plpgsql AS $$BEGIN RAISE 'shadow'; END$$;
        CREATE FUNCTION public.same(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'shadow'; END$$;
        CREATE OPERATOR public.> (LEFTARG = integer, RIGHTARG = integer, PROCEDURE = public.same);
        CREATE TABLE public.json_each (x int);
        ALTER DATABASE shop SET search_path = public, pg_catalog
        """, database: "shop")
      try await server.psql("SELECT broadcast.watch('orders', 'a', condition => 'id > 0')", database: "shop")
      var iterator = try await broadcast.subscribe(to: "a").rowChanges(of: Texts.self).makeAsyncIterator()
      try await server.psql("INSERT INTO orders VALUES (1)", database: "shop")
      #expect(try await iterator.changes(1).count == 1)
    }
  }

  // MARK: From Swift

  @Test("installing brings the functions along, can be repeated, and is removed")
  func installing() async throws {
    try await withDatabase { server, broadcast in
      try await server.psql(Self.table)
      let watch = try RowWatch(table: "orders", channel: "a", condition: "id > 1")
      try await watch.remove(from: server.url)
      try await watch.install(in: server.url)
      try await watch.install(in: server.url)
      var iterator = try await broadcast.subscribe(to: "a").rowChanges(of: Texts.self).makeAsyncIterator()
      try await server.psql("INSERT INTO orders VALUES (1), (2)")
      #expect(try await iterator.changes(1).first?.new?["id"] == "2")
      try await RowWatch.remove(table: "orders", channel: "a", from: server.url)
      #expect(try await triggers(server, "postgres") == "0")
    }
  }

  @Test("what the database refuses is told, and nothing is changed")
  func refused() async throws {
    try await PostgresServer.with { server in
      try await server.psql("\(Self.table); CREATE USER guest")
      func failure(_ watch: RowWatch, _ url: String, timeout: Duration = .seconds(10)) async throws -> BroadcastError {
        try await #require(throws: BroadcastError.self) { try await watch.install(in: url, timeout: timeout) }
      }
      let missing = try await failure(RowWatch(table: "nix", channel: "a"), server.url)
      #expect(missing.code == .refused && !missing.isRetriable && missing.message.contains("\"nix\""), "\(missing)")
      // The functions may be missing, and yet the one that is missing is another.
      let function = try await failure(RowWatch(table: "orders", channel: "a", condition: "nix(id)"), server.url)
      #expect(function.code == .refused && function.message.contains("nix(integer)"), "\(function)")
      #expect(try await server.psql("SELECT to_regnamespace('broadcast') IS NULL") == "t")
      let watch = try RowWatch(table: "orders", channel: "a")
      let right = try await failure(watch, "postgres://guest@\(server.address)/postgres")
      #expect(right.code == .refused && right.message.contains("42501"), "\(right)")
      #expect(try await failure(watch, "redis://localhost").code == .unknownScheme)
      // Also where the functions are there, and this user may not install them.
      try await server.psql("\(PostgresBroadcast.migration); ALTER TABLE orders OWNER TO guest")
      let guests = try await failure(
        RowWatch(table: "orders", channel: "a", condition: "nix(id)"), "postgres://guest@\(server.address)/postgres")
      #expect(guests.message.contains("nix(integer)"), "\(guests)")
      let psql = try await server.startPSQL()
      try psql.send("BEGIN; INSERT INTO orders VALUES (1); SELECT 'inserted';")
      try await psql.line(containing: "inserted")
      let late = try await failure(watch, server.url, timeout: .milliseconds(300))
      #expect(late.code == .timedOut && late.isRetriable && late.message.contains("pg_stat_activity"), "\(late)")
    }
  }

  @Test("what can't be a watch is refused before any database is asked")
  func invalid() throws {
    #expect(throws: BroadcastError.self) { try RowWatch(table: "", channel: "a") }
    #expect(throws: BroadcastError.self) { try RowWatch(table: "a", channel: "") }
    #expect(throws: BroadcastError.self) { try RowWatch(table: "a\0b", channel: "a") }
    #expect(throws: BroadcastError.self) { try RowWatch(table: "a", channel: "a", columns: []) }
    #expect(throws: BroadcastError.self) { try RowWatch(table: "a", channel: "a", condition: "") }
    #expect(throws: BroadcastError.self) {
      try RowWatch(table: "a", channel: Channel(String(repeating: "x", count: 181)), key: ["id"])
    }
  }
}
