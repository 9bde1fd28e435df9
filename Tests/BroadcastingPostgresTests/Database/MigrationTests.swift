//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("Installing the functions", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct MigrationTests {
  @Test("who may not execute new functions by default may execute these")
  func defaultPrivileges() async throws {
    try await withDatabase("shop", encoding: "UTF8") { server, broadcast in
      try await server.psql("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC", database: "shop")
      try await server.psql(PostgresBroadcast.migration, database: "shop")
      var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
      try await server.psql(
        "CREATE ROLE clerk; SET ROLE clerk; SELECT broadcast.publish('a', 'x'), broadcast.publish('a', '\\x00'::bytea)",
        database: "shop")
      #expect(try await heard(2, of: &iterator) == ["x", "binary [0]"])
    }
  }

  @Test("where only broadcast.publish() was, all may write to a watched table after an update")
  func update() async throws {
    try await withDatabase("shop", encoding: "UTF8") { server, broadcast in
      try await server.psql("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC", database: "shop")
      try await server.psql(PostgresBroadcast.migration, database: "shop")
      // What the first version had.
      try await server.psql(
        """
        DO $$DECLARE it regprocedure; BEGIN
          FOR it IN SELECT oid FROM pg_proc WHERE pronamespace = 'broadcast'::regnamespace
              AND proname <> ALL ('{notify_channel,send_wire,check_message,envelope,publish}') LOOP
            EXECUTE 'DROP FUNCTION ' || it;
          END LOOP;
        END$$
        """, database: "shop")
      try await server.psql(PostgresBroadcast.migration, database: "shop")
      try await server.psql(
        """
        CREATE TABLE orders (id bigint, name text); SELECT broadcast.watch('orders', 'a', key => '{name}');
        CREATE ROLE clerk; GRANT ALL ON orders TO clerk
        """, database: "shop")
      var iterator = try await broadcast.subscribe(to: ["a:x"]).makeAsyncIterator()
      try await server.psql("SET ROLE clerk; INSERT INTO orders VALUES (1, 'x')", database: "shop")
      #expect(try await heard(1, of: &iterator).first?.contains("INSERT") == true)
    }
  }

  @Test("several install them at once, again and again")
  func atOnce() async throws {
    try await PostgresServer.with { server in
      for _ in 0..<5 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<6 { group.addTask { _ = try await server.psql(PostgresBroadcast.migration) } }
          try await group.waitForAll()
        }
      }
    }
  }

  @Test("the caller's transaction has it, and takes it back")
  func transaction() async throws {
    try await PostgresServer.with { server in
      try await server.psql("BEGIN; \(PostgresBroadcast.migration); SELECT broadcast.publish('a', 'x'); ROLLBACK")
      #expect(try await server.psql("SELECT to_regnamespace('broadcast') IS NULL") == "t")
    }
  }

  @Test("what fails leaves nothing behind")
  func wholeOrNothing() async throws {
    try await PostgresServer.with { server in
      // Another's function with another result can't be replaced.
      try await server.psql(
        "CREATE SCHEMA broadcast; CREATE FUNCTION broadcast.envelope(bytea) RETURNS int LANGUAGE sql AS 'SELECT 1'")
      await #expect(throws: ProgramError.self) { try await server.psql(PostgresBroadcast.migration) }
      #expect(
        try await server.psql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'broadcast'::regnamespace") == "1")
    }
  }

  @Test("what an administrator has revoked stays revoked when it is run again")
  func revoked() async throws {
    try await PostgresServer.with { server in
      try await server.psql(PostgresBroadcast.migration)
      let revoke = """
        CREATE ROLE clerk; REVOKE USAGE ON SCHEMA broadcast FROM PUBLIC;
        REVOKE EXECUTE ON FUNCTION broadcast.publish(text, text) FROM PUBLIC
        """
      try await server.psql(revoke)
      try await server.psql(PostgresBroadcast.migration)
      let rights = """
        SELECT has_schema_privilege('clerk', 'broadcast', 'USAGE'),
          has_function_privilege('clerk', 'broadcast.publish(text, text)', 'EXECUTE'),
          has_function_privilege('clerk', 'broadcast.publish(text, bytea)', 'EXECUTE')
        """
      #expect(try await server.psql(rights) == "f|f|t")
    }
  }

  @Test("a schema of another user, who could exchange the functions, is refused")
  func foreignSchema() async throws {
    try await PostgresServer.with { server in
      try await server.psql("CREATE ROLE clerk; CREATE SCHEMA broadcast AUTHORIZATION clerk")
      let error = try await #require(throws: ProgramError.self) { try await server.psql(PostgresBroadcast.migration) }
      #expect("\(error)".contains("belongs to \"clerk\""))
      try await server.psql("ALTER SCHEMA broadcast OWNER TO CURRENT_USER")
      try await server.psql(PostgresBroadcast.migration)
      // Its own user may, and the owner of the database is trusted by all.
      try await server.psql("ALTER DATABASE postgres OWNER TO clerk; ALTER SCHEMA broadcast OWNER TO clerk")
      try await server.psql(PostgresBroadcast.migration)
    }
  }

  @Test(
    "functions of another user, and a right to make some, are refused in a schema that is one's own",
    arguments: [
      (
        "CREATE FUNCTION broadcast.publish(text, text) RETURNS void LANGUAGE sql AS ''",
        "\"clerk\" owns the function broadcast.publish(text,text)"
      ),
      ("GRANT CREATE ON SCHEMA broadcast TO guest", "\"guest\" may create functions"),
      ("GRANT CREATE ON SCHEMA broadcast TO PUBLIC", "\"PUBLIC\" may create functions"),
    ])
  func foreignFunctions(statement: String, words: String) async throws {
    try await PostgresServer.with { server in
      try await server.psql(
        """
        CREATE ROLE guest; CREATE ROLE clerk; GRANT CREATE ON DATABASE postgres TO clerk;
        SET ROLE clerk; CREATE SCHEMA broadcast; \(statement); RESET ROLE; ALTER SCHEMA broadcast OWNER TO CURRENT_USER
        """)
      let error = try await #require(throws: ProgramError.self) { try await server.psql(PostgresBroadcast.migration) }
      #expect("\(error)".contains(words), "\(error)")
      // What the error advises.
      try await server.psql("DROP SCHEMA broadcast CASCADE")
      try await server.psql(PostgresBroadcast.migration)
    }
  }
}
