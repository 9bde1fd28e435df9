//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingJSON
import BroadcastingPostgres
import FoundationEssentials
import TestSupport
import Testing

private struct Numbers: Codable {
  var d: Double
  var f: Float
  var wide: Double
}

private struct Moment: Codable {
  var at: Date
  var micros: Int64
}

@Suite("Types of columns", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(2)))
struct RowTypeTests {
  @Test("extremes of each type arrive digit by digit, whatever the session has set")
  func extremes() async throws {
    try await withFunctions { server, broadcast in
      // A type, a value, and the text that arrives.
      let numeric = "12345678901234567890123456789012345678901234567890.123456789012345678901234567890123456789000"
      let columns: [(type: String, value: String, text: String?)] = [
        ("int2", "-32768", "-32768"), ("int4", "2147483647", "2147483647"),
        ("int8", "9223372036854775807", "9223372036854775807"),
        ("int8", "9007199254740991", "9007199254740991"), ("numeric", numeric, numeric), ("numeric", "NaN", "NaN"),
        ("numeric(10,2)", "1.5", "1.50"), ("numeric(10,0)", "7", "7"), ("positive", "1.50", "1.50"),
        ("big", "9007199254740993", "9007199254740993"),
        ("float8", "0.1", "0.1"), ("float8", "5e-324", "5e-324"), ("float8", "-Infinity", "-Infinity"),
        ("float4", "NaN", "NaN"),
        ("float8", "1.7976931348623157e308", "1.7976931348623157e+308"), ("bool", "true", "true"),
        ("text", #"a"\é😀"#, #"a"\é😀"#),
        ("text", "{1}", "{1}"), ("varchar(3)", "", ""), ("char(3)", "a", "a  "), ("bytea", #"\x00ff"#, #"\x00ff"#),
        ("date", "2024-02-29", "2024-02-29"), ("date", "infinity", "infinity"),
        ("timestamp", "2024-02-29 12:30:00.123456", "2024-02-29T12:30:00.123456"),
        ("timestamptz", "2024-02-29 12:30:00.123456+03", "2024-02-29T09:30:00.123456+00:00"),
        ("timestamptz", "4713-01-01 00:00:00+00 BC", "4713-01-01T00:00:00+00:00 BC"),
        ("timestamptz", "-infinity", "-infinity"),
        ("time", "24:00:00", "24:00:00"), ("interval", "1 year -2 days 3.5 seconds", "P1Y-2DT3.5S"),
        ("uuid", "b1b2c3d4-0000-4000-8000-123456789abc", "b1b2c3d4-0000-4000-8000-123456789abc"),
        ("json", #"{"a" : 1.10, "a": 2}"#, #"{"a" : 1.10, "a": 2}"#),
        ("jsonb", #"[1.10, {"b": null}]"#, #"[1.10, {"b": null}]"#),
        ("numeric[]", "{1.50,NaN,NULL}", #"[1.50,"NaN",null]"#), ("int4range", "[1,5)", "[1,5)"),
        ("inet", "::1", "::1"),
        ("mood", "so so", "so so"), ("point", "(1,2)", "(1,2)"), ("pair", "(1,x)", #"{"a":1,"b":"x"}"#),
        ("oid", "4294967295", "4294967295"),
      ]
      let definitions = columns.enumerated().map { "c\($0) \($1.type)" }.joined(separator: ", ")
      let values = columns.map { "'\($0.value)'" }.joined(separator: ", ")
      try await server.psql(
        """
        CREATE TYPE mood AS ENUM ('so so'); CREATE TYPE pair AS (a int, b text);
        CREATE DOMAIN positive AS numeric CHECK (value > 0); CREATE DOMAIN long AS bigint; CREATE DOMAIN big AS long;
        CREATE TABLE extremes (\(definitions), nothing text, sum int GENERATED ALWAYS AS (c1 - 1) STORED);
        SELECT broadcast.watch('extremes', 'a')
        """, database: "shop")
      var iterator = try await broadcast.subscribe(to: "a").rowChanges(of: Texts.self).makeAsyncIterator()
      for settings in [
        "",
        "SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'; SET TimeZone = 'Asia/Kolkata'; "
          + "SET extra_float_digits = -15; SET bytea_output = 'escape'; SET standard_conforming_strings = off; "
          + "SET search_path = ''; ",
      ] {
        try await server.psql(
          "\(settings)SET standard_conforming_strings = on; SET TimeZone = 'UTC'; INSERT INTO public.extremes VALUES (\(values));"
            + " SET TimeZone = 'Asia/Kolkata'; UPDATE public.extremes SET nothing = ''; DELETE FROM public.extremes",
          database: "shop")
        let changes = try await iterator.changes(3)
        let rows = [try #require(changes[0].new), try #require(changes[2].old)]
        for row in rows {
          for (index, column) in columns.enumerated() {
            #expect(row["c\(index)"] == .some(column.text), "\(column)")
          }
          #expect(row["sum"] == "2147483646")
        }
        #expect(rows[0]["nothing"] == .some(nil) && rows[1]["nothing"] == "" && changes[1].changed == ["nothing"])
      }
    }
  }

  @Test("what a json column holds arrives as it is, also what PostgreSQL can't make a text of")
  func json() async throws {
    try await withFunctions { server, broadcast in
      let name = #"a\u0041\"#
      try await server.psql(
        """
        CREATE DOMAIN document AS jsonb;
        CREATE TABLE j (id int PRIMARY KEY, "\(name)" text, j json, b jsonb, d document);
        SELECT broadcast.watch('j', 'a')
        """, database: "shop")
      var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
      // NUL, half of a pair, and what only looks so; control characters in another column, which are escaped there too.
      let values = [
        #"{"\u0000" : "x\u0000\\u0000\\\u0000"}"#, #""\ud800""#, #"["\\ud800\"\/\\", "\ud83d\ude00"]"#,
        "1.10", #""1.10""#, "12345678901234567890",
      ]
      for (id, value) in values.enumerated() {
        try await server.psql(
          #"INSERT INTO j VALUES (\#(id), E'\x01\\u0000\\\\"', '\#(value)', '1.10', '5')"#, database: "shop")
        let text = try #require(try await heard(1, of: &iterator).first)
        let row = #"{"id":\#(id),"a\\u0041\\":"\u0001\\u0000\\\\\"","j":\#(value),"b":1.10,"d":5}"#
        #expect(text.contains("\"new\":\(row)"), "\(text)")
      }
      // A number becomes a text of the same digits.
      try await server.psql(
        #"UPDATE j SET j = '"1.10"', b = '"1.10"', d = '"5"' WHERE id = 3"#, database: "shop")
      let text = try #require(try await heard(1, of: &iterator).first)
      let change = try Message(text, to: "a").rowChange(of: Texts.self)
      #expect(change.changed == ["j", "b", "d"] && change.new?["j"] == "1.10")
    }
  }

  @Test("any float arrives as it is")
  func floats() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(
        "CREATE TABLE f (d float8, f float4, wide float4); SELECT broadcast.watch('f', 'a')", database: "shop")
      var iterator = try await broadcast.subscribe(
        to: ["a"], options: .init(buffer: .dropOldest(maximumMessages: 20_000, maximumBytes: 1 << 24))
      ).rowChanges(of: Numbers.self).makeAsyncIterator()
      var numbers: [(Double, Float)] = []
      while numbers.count < 6_000 {
        let d = Double(bitPattern: .random(in: .min ... .max))
        let f = Float(bitPattern: .random(in: .min ... .max))
        if d.isFinite, f.isFinite { numbers.append((d, f)) }
      }
      numbers += (-30...70).map {
        (Double(sign: .plus, exponent: $0, significand: 1), Float(sign: .plus, exponent: $0, significand: 1))
      }
      for start in stride(from: 0, to: numbers.count, by: 500) {
        let values = numbers[start..<min(start + 500, numbers.count)].map { "('\($0.0)', '\($0.1)', '\($0.1)')" }
        try await server.psql("INSERT INTO f VALUES \(values.joined(separator: ","))", database: "shop")
      }
      let rows = try await iterator.changes(numbers.count).compactMap(\.new)
      #expect(rows.count == numbers.count)
      for (row, number) in zip(rows, numbers) {
        #expect(row.d == number.0 && row.f == number.1)
        #expect(Float(row.wide) == number.1)
      }
    }
  }

  @Test("any moment arrives as it is, where a Date can hold it")
  func moments() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(
        "CREATE TABLE m (at timestamptz, micros bigint); SELECT broadcast.watch('m', 'a')", database: "shop")
      var iterator = try await broadcast.subscribe(
        to: ["a"], options: .init(buffer: .dropOldest(maximumMessages: 20_000, maximumBytes: 1 << 24))
      ).rowChanges(of: Moment.self).makeAsyncIterator()
      // With the microseconds since 2001, from which Date counts: random ones from 1867 to 2135, where a Date is fine enough for
      // each, and whole seconds from 4714 BC to 17470.
      try await server.psql(
        """
        INSERT INTO m SELECT at, (extract(epoch FROM at) - 978307200) * 1000000 FROM (
          SELECT 'epoch'::timestamptz + make_interval(secs => 0.000001 * floor((random() - 0.385) * 8.5e15))
          FROM generate_series(1, 2000) UNION ALL
          SELECT to_timestamp(floor(-210866803200 + random() * 7e11)) FROM generate_series(1, 2000)) AS moments(at)
        """, database: "shop")
      let rows = try await iterator.changes(4_000).compactMap(\.new)
      #expect(rows.count == 4_000)
      for row in rows {
        let micros = (row.at.timeIntervalSinceReferenceDate * 1_000_000).rounded()
        #expect(Int64(exactly: micros) == row.micros)
      }
    }
  }

  @Test("a row longer than a notification arrives, and one longer than a message by its key")
  func long() async throws {
    try await withFunctions { server, broadcast in
      try await server.psql(
        """
        CREATE TABLE long (id int, part text, note text, PRIMARY KEY (id, part)); CREATE TABLE bare (note text);
        SELECT broadcast.watch('long', 'a'), broadcast.watch('bare', 'a'), broadcast.watch('bare', 'b', key => ARRAY['note'])
        """, database: "shop")
      var iterator = try await broadcast.subscribe(to: "a").rowChanges(of: Texts.self).makeAsyncIterator()
      let keyed = try RowWatch(table: "bare", channel: "b", key: ["note"])
      let note = String(repeating: "x", count: 1_500_000)
      var other = try await broadcast.subscribe(to: keyed.channel(ofKey: [note])).rowChanges(of: Texts.self)
        .makeAsyncIterator()
      try await server.psql(
        """
        INSERT INTO long VALUES (1, 'p', repeat('ä"', 100000));
        UPDATE long SET id = 2, note = repeat('"', 600000);
        INSERT INTO bare VALUES (repeat('x', 1500000));
        DELETE FROM long
        """, database: "shop")
      let changes = try await iterator.changes(4)
      #expect(changes[0].new?["note"] == String(repeating: "ä\"", count: 100_000) && !changes[0].isTruncated)
      #expect(changes[1].isTruncated && changes[1].changed == ["id", "note"])
      #expect(changes[1].newKey == ["id": "2", "part": "p"] && changes[1].oldKey == ["id": "1", "part": "p"])
      #expect(changes[2].isTruncated && changes[2].table == "bare" && changes[2].newKey.isEmpty)
      #expect(changes[3].isTruncated && changes[3].action == .delete && changes[3].oldKey["id"] == "2")
      let last = try #require(try await other.changes(1).first)
      #expect(last.isTruncated && last.newKey.isEmpty)
      #expect(try await server.psql("SELECT length(note) FROM bare", database: "shop") == "1500000")
    }
  }
}
