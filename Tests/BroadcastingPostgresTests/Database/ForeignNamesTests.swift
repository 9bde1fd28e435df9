//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingPostgres

/// Who may create in a schema of the search path can make what fits better than the system's own, or comes before it.
@Suite("Names of others", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct ForeignNamesTests {
  @Test("what fits better than the system's own is not called with the rights of who publishes")
  func betterFit() async throws {
    try await withDatabase("shop", encoding: "UTF8") { server, broadcast in
      try await server.psql(PostgresBroadcast.migration, database: "shop")
      try await server.psql(
        """
        GRANT CREATE ON SCHEMA public TO PUBLIC;
        CREATE ROLE mallory; SET ROLE mallory;
        CREATE TABLE public.caught (name text); GRANT INSERT ON public.caught TO PUBLIC;
        CREATE FUNCTION public.final(bigint) RETURNS bigint LANGUAGE plpgsql AS
          $$BEGIN INSERT INTO public.caught VALUES ('count'); RETURN 1; END$$;
        CREATE AGGREGATE public.count(void) (
          SFUNC = pg_catalog.int8inc_any, STYPE = bigint, INITCOND = '0', FINALFUNC = public.final);
        CREATE FUNCTION public.append(integer[], integer) RETURNS integer[] LANGUAGE plpgsql AS
          $$BEGIN INSERT INTO public.caught VALUES ('||'); RETURN array_append($1, $2); END$$;
        CREATE OPERATOR public.|| (LEFTARG = integer[], RIGHTARG = integer, PROCEDURE = public.append);
        """, database: "shop")
      // They are what a careless statement takes.
      try await server.psql("SELECT count(pg_notify('b', '')), ARRAY[1] || 2", database: "shop")
      #expect(try await server.psql("SELECT name FROM caught ORDER BY 1", database: "shop") == "count\n||")
      try await server.psql("TRUNCATE caught", database: "shop")

      // A session of its own for what is there by now.
      let other = try PostgresBroadcast(server.url(database: "shop"))
      try await withBroadcast(other) { other in
        try await exchange(other, by: server)
      }
      try await exchange(broadcast, by: server)
      #expect(try await server.psql("SELECT name FROM caught", database: "shop") == "")
    }
  }

  @Test("no name is looked up in the search path")
  func everyName() async throws {
    try await PostgresServer.with { server in
      try await server.createDatabase("shop", encoding: "UTF8")
      // Every function and operator of the system that can be made again, and the types, in the way of the system's own.
      try await server.psql(
        """
        SET search_path = pg_catalog;
        DO $do$
        DECLARE
          entry record;
          made integer := 0;
        BEGIN
          FOR entry IN SELECT proname, prorettype::regtype::text AS result, proretset,
              pg_get_function_identity_arguments(oid) AS arguments FROM pg_proc
              WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' LOOP
            BEGIN
              EXECUTE format(
                'CREATE FUNCTION public.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS $f$BEGIN RAISE ''shadow %s''; END$f$',
                entry.proname, entry.arguments, CASE WHEN entry.proretset THEN 'SETOF' END, entry.result, entry.proname);
              made := made + 1;
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
          END LOOP;
          ASSERT made > 1000;
          made := 0;
          FOR entry IN SELECT oprname, oprleft::regtype AS l, oprright::regtype AS r, oprresult::regtype AS result, oid
              FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b' LOOP
            BEGIN
              EXECUTE format(
                'CREATE FUNCTION public.shadow_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$BEGIN RAISE ''shadow %s''; END$f$',
                entry.oid, entry.l, entry.r, entry.result, replace(entry.oprname, '%', '%%'));
              EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, PROCEDURE = public.shadow_%s)',
                entry.oprname, entry.l, entry.r, entry.oid);
              made := made + 1;
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
          END LOOP;
          ASSERT made > 500;
        END
        $do$;
        CREATE AGGREGATE public.count("any") (SFUNC = int8inc_any, STYPE = bigint, INITCOND = '0', FINALFUNC = public.abs);
        CREATE VIEW public.pg_settings AS SELECT public.textcat(pg_catalog.text 'idle_session_timeout', '') AS name;
        CREATE DOMAIN public.text AS pg_catalog.text CHECK (value OPERATOR(pg_catalog.=) 'shadow');
        CREATE DOMAIN public.trigger AS pg_catalog.text; CREATE DOMAIN public.regclass AS pg_catalog.text;
        CREATE DOMAIN public.oid AS pg_catalog.text; CREATE DOMAIN public.name AS pg_catalog.text;
        CREATE DOMAIN public.bytea AS pg_catalog.bytea CHECK (value OPERATOR(pg_catalog.=) 'shadow');
        ALTER DATABASE shop SET search_path = public, pg_catalog;
        """, database: "shop")
      let careless = await #expect(throws: ProgramError.self) {
        try await server.psql("SELECT count(pg_notify('b', ''))", database: "shop")
      }
      #expect(careless.map { "\($0)".contains("shadow") } == true)

      try await server.psql(PostgresBroadcast.migration, database: "shop")
      try await withBroadcast(try PostgresBroadcast(server.url(database: "shop"))) { broadcast in
        try await exchange(broadcast, by: server)
        try await watch(broadcast, by: server)
      }
      #expect(
        server.log.filter { $0.contains("shadow") && !$0.contains("STATEMENT") && !$0.contains("b', ''") }.count == 1)
    }
  }

  /// Sends something in every way.
  private func exchange(_ broadcast: PostgresBroadcast, by server: PostgresServer) async throws {
    // A name that is checked for its length before LISTEN.
    var iterator = try await broadcast.subscribe(to: ["größe"]).makeAsyncIterator()
    let long = String(repeating: "y", count: 20_000)
    try await broadcast.publish([Message("x", to: "größe"), Message(long, to: "größe")])
    try await server.psql(
      #"""
      SELECT broadcast.publish('größe', E'\x02bc'), broadcast.publish('größe', 'x'), broadcast.publish('größe', 'x'),
        broadcast.publish('größe', pg_catalog.rpad('', 20000, 'y')), broadcast.publish('größe', '\x00'::pg_catalog.bytea)
      """#, database: "shop")
    await #expect(throws: ProgramError.self) {
      try await server.psql("SELECT broadcast.publish('', 'x')", database: "shop")
    }
    try await server.psql("SELECT broadcast.publish(pg_catalog.rpad('', 100, 'y'), 'x')", database: "shop")
    #expect(try await heard(7, of: &iterator) == ["x", long, "\u{2}bc", "x", "x", long, "binary [0]"])
  }

  /// Has a table tell its changes, of rows that have a key and meet a condition, and stop that.
  private func watch(_ broadcast: PostgresBroadcast, by server: PostgresServer) async throws {
    let watch = try RowWatch(table: "orders", channel: "orders", columns: ["name"], condition: "id > 1", key: ["id"])
    try await server.psql(
      "CREATE TABLE public.orders (id pg_catalog.int4 PRIMARY KEY, name pg_catalog.text); \(watch.sql)",
      database: "shop")
    try await server.psql(watch.sql, database: "shop")
    var iterator = try await broadcast.subscribe(to: [watch.channel(ofKey: ["2"]), "orders"]).makeAsyncIterator()
    try await server.psql("INSERT INTO public.orders VALUES (1, 'a'), (2, 'b')", database: "shop")
    try await server.psql("UPDATE public.orders SET name = pg_catalog.rpad('', 1100000, 'x')", database: "shop")
    try await server.psql("TRUNCATE public.orders", database: "shop")
    #expect(try await heard(3, of: &iterator).map { $0.contains("\"new\":{\"id\":2") } == [true, true, false])
    try await server.psql(watch.removalSQL, database: "shop")
    #expect(try await server.psql("SELECT pg_catalog.max(1) FROM pg_catalog.pg_trigger", database: "shop") == "")
  }
}
