//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingJSON
import BroadcastingPostgres
import TestSupport
import Testing

private struct Order: Codable, Equatable {
  var id: Int
  var name: String?
}

private func text(_ order: Order) -> String { "\(order.id)\(order.name ?? "")" }

@Suite(
  "Changes that a database tells", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(2)))
struct RowChangeSQLTests {
  private static let table = "CREATE TABLE orders (id int PRIMARY KEY, name text); "

  /// The lines of so many changes that the SQL makes on the channel "orders".
  private func lines(_ count: Int, after sql: String...) async throws -> [String] {
    var lines: [String] = []
    try await withFunctions { server, broadcast in
      var iterator = try await broadcast.subscribe(to: "orders").rowChanges(of: Order.self).makeAsyncIterator()
      // What one call of psql is given is one transaction, unless it says otherwise.
      for sql in sql { try await server.psql(sql, database: "shop") }
      lines = try await iterator.changes(count).map { $0.line(text) }
    }
    return lines
  }

  @Test("each action, one that changes nothing not")
  func actions() async throws {
    let lines = try await lines(
      5,
      after: Self.table + """
        SELECT broadcast.watch('orders', 'orders');
        INSERT INTO orders VALUES (1, 'a'), (2, NULL);
        UPDATE orders SET name = name;
        UPDATE orders SET name = 'b' WHERE id = 1;
        DELETE FROM orders WHERE id = 2;
        TRUNCATE orders
        """)
    #expect(lines == ["INSERT - > 1a", "INSERT - > 2", "UPDATE 1a > 1b", "DELETE 2 > -", "TRUNCATE - > -"])
  }

  @Test("nothing of what is rolled back, also to a savepoint or by an exception")
  func rollback() async throws {
    let lines = try await lines(
      3,
      after: Self.table + "SELECT broadcast.watch('orders', 'orders')",
      """
      BEGIN; INSERT INTO orders VALUES (1); ROLLBACK;
      BEGIN; INSERT INTO orders VALUES (2); SAVEPOINT s; INSERT INTO orders VALUES (3); ROLLBACK TO s;
      INSERT INTO orders VALUES (4); COMMIT;
      DO $$BEGIN INSERT INTO orders VALUES (5); RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END$$;
      DELETE FROM orders WHERE id = 2
      """)
    #expect(lines == ["INSERT - > 2", "INSERT - > 4", "DELETE 2 > -"])
  }

  @Test("equal changes of one transaction all arrive")
  func equal() async throws {
    let lines = try await lines(
      6,
      after: Self.table + """
        SELECT broadcast.watch('orders', 'orders');
        BEGIN; INSERT INTO orders VALUES (1); DELETE FROM orders; INSERT INTO orders VALUES (1); DELETE FROM orders;
        INSERT INTO orders VALUES (1); DELETE FROM orders; COMMIT
        """)
    #expect(lines == Array(repeating: ["INSERT - > 1", "DELETE 1 > -"], count: 3).flatMap { $0 })
  }

  @Test("COPY and ON CONFLICT tell each row")
  func copy() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(Self.table + "SELECT broadcast.watch('orders', 'orders')", database: "shop")
      var iterator = try await broadcast.subscribe(to: "orders").rowChanges(of: Order.self).makeAsyncIterator()
      let psql = try await server.startPSQL(database: "shop")
      try psql.send(
        "COPY orders FROM STDIN;\n1\ta\n2\tb\n\\.\nINSERT INTO orders VALUES (1, 'c') ON CONFLICT (id) DO UPDATE SET name = 'd';"
      )
      #expect(
        try await iterator.changes(3).map { $0.line(text) } == ["INSERT - > 1a", "INSERT - > 2b", "UPDATE 1a > 1d"])
    }
  }

  @Test("in the order of the commits, and with a snapshot one knows what has been read")
  func commitOrder() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(Self.table + "SELECT broadcast.watch('orders', 'orders')", database: "shop")
      var iterator = try await broadcast.subscribe(to: "orders").rowChanges(of: Order.self).makeAsyncIterator()
      let psql = try await server.startPSQL(database: "shop")
      try psql.send("BEGIN; INSERT INTO orders VALUES (1); SELECT 'inserted';")
      try await psql.line(containing: "inserted")
      try await server.psql("INSERT INTO orders VALUES (2)", database: "shop")
      let read = try await server.psql(
        "SELECT pg_current_snapshot(), (SELECT string_agg(id::text, ',') FROM orders)", database: "shop")
      try psql.send("COMMIT;")
      let changes = try await iterator.changes(2)
      #expect(changes.compactMap(\.new?.id) == [2, 1])
      let parts = read.split(separator: "|")
      #expect(parts.last == "2")
      let snapshot = try TransactionSnapshot(String(try #require(parts.first)))
      #expect(changes.map { snapshot.includes($0.transaction) } == [true, false])
    }
  }

  @Test("a trigger that changes the row again is told behind the change that it followed")
  func nestedChanges() async throws {
    let lines = try await lines(
      2,
      after: Self.table + """
        CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS
          $$BEGIN UPDATE orders SET name = 'marked' WHERE id = NEW.id; RETURN NULL; END$$;
        CREATE TRIGGER "A first" AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION mark();
        SELECT broadcast.watch('orders', 'orders');
        INSERT INTO orders VALUES (1)
        """)
    #expect(lines == ["INSERT - > 1", "UPDATE 1 > 1marked"])
  }

  @Test("partitions are told as their table, new ones and a row that moves too")
  func partitions() async throws {
    try await withFunctions { server, broadcast in
      var iterator = try await broadcast.subscribe(to: "orders").rowChanges(of: Order.self).makeAsyncIterator()
      try await server.psql(
        """
        CREATE TABLE orders (id int, name text) PARTITION BY LIST (name);
        CREATE TABLE attached (junk int, name text, id int); ALTER TABLE attached DROP junk;
        ALTER TABLE orders ATTACH PARTITION attached FOR VALUES IN ('a');
        SELECT broadcast.watch('orders', 'orders');
        CREATE TABLE later PARTITION OF orders FOR VALUES IN ('b');
        INSERT INTO orders VALUES (1, 'a'); INSERT INTO later VALUES (2, 'b');
        UPDATE orders SET id = 3 WHERE id = 1;
        UPDATE orders SET name = 'b' WHERE id = 3;
        TRUNCATE orders
        """, database: "shop")
      let changes = try await iterator.changes(6)
      #expect(
        changes.map { $0.line(text) } == [
          "INSERT - > 1a", "INSERT - > 2b", "UPDATE 1a > 3a", "DELETE 3a > -", "INSERT - > 3b", "TRUNCATE - > -",
        ])
      #expect(changes.allSatisfy { $0.table == "orders" && $0.schema == "public" })
    }
  }

  @Test("tables that inherit are told as the table that is watched")
  func inheritance() async throws {
    try await withFunctions { server, broadcast in
      var iterator = try await broadcast.subscribe(to: "orders").rowChanges(of: Texts.self).makeAsyncIterator()
      try await server.psql(
        """
        CREATE TABLE orders (id int); CREATE TABLE large (size int) INHERITS (orders);
        SELECT broadcast.watch('orders', 'orders');
        INSERT INTO large VALUES (1, 9); INSERT INTO orders VALUES (2);
        """, database: "shop")
      let changes = try await iterator.changes(2)
      #expect(
        changes.map(\.new) == [["id": "1", "size": "9"], ["id": "2"]] && changes.allSatisfy { $0.table == "orders" })
      try await server.psql("SELECT broadcast.unwatch('orders', 'orders')", database: "shop")
      #expect(try await server.psql("SELECT count(*) FROM pg_trigger", database: "shop") == "0")
    }
  }

  @Test("one of several tables is emptied, and not told as all of them")
  func truncatedPart() async throws {
    try await withFunctions { server, broadcast in
      var iterator = try await broadcast.subscribe(to: "a").rowChanges(of: Order.self).makeAsyncIterator()
      try await server.psql(
        """
        CREATE TABLE orders (id int, name text) PARTITION BY LIST (name);
        CREATE TABLE part PARTITION OF orders FOR VALUES IN ('a');
        CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);
        SELECT broadcast.watch(name, 'a') FROM unnest(ARRAY['orders', 'part', 'parent', 'child']::regclass[]) AS name;
        INSERT INTO orders VALUES (1, 'a'); INSERT INTO child VALUES (1); TRUNCATE part; TRUNCATE child
        """, database: "shop")
      let changes = try await iterator.changes(4)
      #expect(changes.map(\.table) == ["orders", "parent", "part", "child"])
    }
  }

  @Test("names with quotes, dots, backslashes and what would be SQL")
  func names() async throws {
    try await withFunctions { server, broadcast in
      let name = #"Größe "x".%s'; \ --"#
      let quoted = "\"\(name.replacing("\"", with: "\"\""))\""
      let channel = Channel("c \(name)")
      let watch = try RowWatch(
        table: "\(quoted).\(quoted)", channel: channel, columns: [name], condition: "\(quoted) <> 'no'", key: [name])
      try await server.psql(
        "CREATE SCHEMA \(quoted); CREATE TABLE \(quoted).\(quoted) (\(quoted) text)", database: "shop")
      try await server.psql(watch.sql, database: "shop")
      let value = "50%, 'é' \\"
      var iterator = try await broadcast.subscribe(to: watch.channel(ofKey: [value])).rowChanges(of: Texts.self)
        .makeAsyncIterator()
      try await server.psql(
        "INSERT INTO \(quoted).\(quoted) VALUES ('no'), (E'\(value.replacing("'", with: "''").replacing("\\", with: "\\\\"))')",
        database: "shop")
      let change = try #require(try await iterator.changes(1).first)
      #expect(change.new == [name: value] && change.table == name && change.schema == name)
      try await server.psql(watch.removalSQL, database: "shop")
      #expect(try await server.psql("SELECT count(*) FROM pg_trigger", database: "shop") == "0")
    }
  }

  @Test("a database of another encoding")
  func encoding() async throws {
    try await withFunctions(encoding: "LATIN1") { server, broadcast in
      try await server.psql(
        Self.table + "SELECT broadcast.watch('orders', 'gr' || chr(246), key => ARRAY['name'])", database: "shop")
      let watch = try RowWatch(table: "orders", channel: "grö", key: ["name"])
      var iterator = try await broadcast.subscribe(to: watch.channel(ofKey: ["é"])).rowChanges(of: Order.self)
        .makeAsyncIterator()
      try await server.psql("INSERT INTO orders VALUES (1, chr(233))", database: "shop")
      #expect(try await iterator.changes(1).first?.new == Order(id: 1, name: "é"))
    }
  }

  @Test("psql alone reads them, as plain text")
  func plain() async throws {
    try await withFunctions { server, _ in
      try await server.psql(Self.table + "SELECT broadcast.watch('orders', 'orders')", database: "shop")
      let psql = try await server.startPSQL(database: "shop")
      try psql.send("LISTEN orders; INSERT INTO orders VALUES (1, 'a'); SELECT 1;")
      let line = try await psql.line(containing: "Asynchronous notification \"orders\"")
      #expect(
        line.contains(#""action":"INSERT""#) && line.contains(#""new":{"id":1,"name":"a"},"old":null"#), "\(line)")
    }
  }
}
