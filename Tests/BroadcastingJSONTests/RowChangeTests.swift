//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import FoundationEssentials
import Testing

@testable import BroadcastingJSON

private struct One<Value: Codable & Sendable & Equatable>: Codable, Equatable {
  var c: Value
}

@Suite("Changes of rows")
struct RowChangeTests {
  /// What a column is decoded to, whose JSON is this.
  private func column<Value: Codable & Sendable & Equatable>(_ json: String, as type: Value.Type) throws -> Value {
    let text = """
      {"schema":"shop","table":"orders","action":"INSERT","transaction":"7","new":{"c":\(json)},"old":null,"changed":[]}
      """
    return try #require(try Message(text, to: "a").rowChange(of: One<Value>.self).new).c
  }

  private func failure<Value: Codable & Sendable & Equatable>(_ json: String, as type: Value.Type) throws -> String {
    let error = try #require(throws: BroadcastError.self) { try column(json, as: type) }
    #expect(error.code == .undecodable)
    #expect(error.message.contains("\"c\"") && error.message.contains("shop.orders"), "\(error.message)")
    return error.message
  }

  @Test("all of a change is read")
  func whole() throws {
    let change = try Message(
      """
      {"schema":"shop","table":"orders","action":"UPDATE","transaction":"18446744073709551615","new":{"c":2},
      "old":{"c":1},"changed":["c"],"condition":"left"}
      """, to: "a"
    ).rowChange(of: One<Int>.self)
    #expect(change.schema == "shop" && change.table == "orders" && change.action == .update)
    #expect(change.new == One(c: 2) && change.old == One(c: 1) && change.changed == ["c"])
    #expect(change.transaction == .max && change.condition == .left && !change.isTruncated && change.newKey.isEmpty)
  }

  @Test("of a row that is too long the key is there")
  func truncated() throws {
    let change = try Message(
      #"{"schema":"s","table":"t","action":"UPDATE","transaction":"1","new":{"id":2,"b":null},"old":{"id":"1"},"changed":[],"truncated":true}"#,
      to: "a"
    ).rowChange(of: One<Int>.self)
    #expect(change.isTruncated && change.new == nil && change.old == nil)
    #expect(change.newKey == ["id": "2"] && change.oldKey == ["id": "1"])
  }

  @Test("String takes any column as it is")
  func strings() throws {
    #expect(try column(#""1.50""#, as: String.self) == "1.50")
    #expect(try column("1.50e-7", as: String.self) == "1.50e-7")
    #expect(try column("false", as: String.self) == "false")
    #expect(try column(#"{"a" : [1.10, "é"]}"#, as: String.self) == #"{"a" : [1.10, "é"]}"#)
    #expect(try column(#""a\"\\\/\b\f\n\r\té\ud83d\ude00""#, as: String.self) == "a\"\\/\u{8}\u{c}\n\r\té😀")
    #expect(try column("null", as: String?.self) == nil)
    #expect(try failure("null", as: String.self).contains("null"))
  }

  @Test(
    "half of a character is in no text, and in the way of nothing beside it",
    arguments: [#""\ud83d""#, #""\ud83d\u0041""#, #""\ud83d\n""#, #""\ud83d\ud83d\ude00""#, #""\ude00x""#])
  func halves(json: String) throws {
    #expect(try failure(json, as: String.self).contains("half of a character"))
    #expect(try failure(json, as: Int.self).contains("half of a character"))
    #expect(try column("[1,\(json)]", as: String.self) == "[1,\(json)]")
    #expect(try column(#"{"\ud83d":\#(json),"c":"é😀"}"#, as: One<String>.self) == One(c: "é😀"))
  }

  @Test("whole numbers come from numbers and from their text, or not at all")
  func integers() throws {
    #expect(try column("12", as: Int.self) == 12)
    #expect(try column(#""9223372036854775807""#, as: Int.self) == .max)
    #expect(try column(#""-9223372036854775808""#, as: Int64.self) == .min)
    #expect(try column(#""12.00""#, as: Int16.self) == 12)
    #expect(try column(#""1e+2""#, as: UInt8.self) == 100)
    for (json, word) in [
      ("256", "loss"), (#""1.5""#, "loss"), ("-1", "loss"), (#""x""#, "no number"), ("true", "boolean"),
    ] {
      #expect(try failure(json, as: UInt8.self).contains(word))
    }
    #expect(try failure(#""9223372036854775808""#, as: Int.self).contains("String"))
    #expect(try failure(#""NaN""#, as: Int.self).contains("NaN"))
  }

  @Test("Decimal takes 38 digits and no more, and neither NaN nor infinity")
  func decimals() throws {
    #expect(try column(#""1.50""#, as: Decimal.self) == Decimal(string: "1.5"))
    let longest = "1234567890123456789012345678.9012345678"
    #expect(try column("\"\(longest)\"", as: Decimal.self).description == longest)
    #expect(try column(#""0""#, as: Decimal.self) == 0)
    #expect(try column(#""1000000000000000000000000000000000000000000000""#, as: Decimal.self).description.count == 46)
    for text in ["\(longest)12", "1\(String(repeating: "0", count: 200))", "1e-200", "NaN", "Infinity", "-Infinity"] {
      #expect(try failure("\"\(text)\"", as: Decimal.self).contains("loss"))
    }
    #expect(try failure(#""1abc""#, as: Decimal.self).contains("no number"))
  }

  @Test("Double and Float take what they give back, NaN and infinity too")
  func floats() throws {
    #expect(try column(#""0.1""#, as: Double.self) == 0.1)
    #expect(try column("0.10", as: Double.self) == 0.1)
    #expect(try column(#""-0""#, as: Double.self) == 0)
    #expect(try column(#""1e+23""#, as: Double.self) == 1e23)
    #expect(try column(#""NaN""#, as: Double.self).isNaN)
    #expect(try column(#""-Infinity""#, as: Float.self) == -.infinity)
    #expect(try column(#""0.1""#, as: Float.self) == 0.1)
    for text in ["0.1000000000000000055", "0.10000000000000001", "9007199254740993", "1e400", "1e-400"] {
      #expect(try failure("\"\(text)\"", as: Double.self).contains("loss"))
    }
    // The shortest, 4.661057e+07, is as near to the next number.
    #expect(try column(#""-4.6610568e+07""#, as: Float.self) == -46_610_568)
    #expect(try column(#""4.7516198e+08""#, as: Float.self) == 475_161_984)
    for text in ["16777217", "46610567", "46610569", "0.10000000149"] {
      #expect(try failure("\"\(text)\"", as: Float.self).contains("loss"))
    }
  }

  @Test(
    "Date takes moments, to the microsecond",
    arguments: [
      ("2001-01-01T00:00:00+00:00", 0), ("2001-01-01 00:00:01.5Z", 1.5),
      ("2000-12-31T23:59:59.999999+00:00", -0.000001),
      ("2024-02-29T12:30:00.123456+02:30", 730_893_600.123456), ("1970-01-01T00:00:00+00", -978_307_200),
      ("0001-01-01T00:00:00+00:00", -63_113_904_000), ("0001-12-31T00:00:00+00:00 BC", -63_113_990_400),
      ("12001-01-01T01:00:00-01:00", 315_569_527_200), ("2000-12-31T00:00:00Z", -86_400),
      ("0001-02-29T00:00:00+00:00 BC", -63_140_428_800),
    ])
  func dates(text: String, seconds: Double) throws {
    #expect(try column("\"\(text)\"", as: Date.self) == Date(timeIntervalSinceReferenceDate: seconds))
  }

  @Test(
    "Date refuses what it can't hold",
    arguments: [
      ("infinity", "loss"), ("-infinity", "loss"), ("2024-02-29T12:30:00", "time zone"), ("2024-02-29", "time zone"),
      ("2024-02-29T12:30:00.1234567+00:00", "loss"), ("294276-12-31T23:59:59.123457+00:00", "microseconds"),
      ("tomorrow", "no time"), ("2024-13-01T00:00:00Z", "no time"), ("2024-01-01T24:00:00Z", "no time"),
      ("", "no time"),
      ("2024-01-01T00:00:00Zx", "no time"), ("2023-02-29T00:00:00Z", "no time"), ("2024-04-31T00:00:00Z", "no time"),
      ("0000-01-01T00:00:00Z", "no time"), ("999999-01-01T00:00:00Z", "microseconds"),
      ("999999-01-01T00:00:00Z BC", "microseconds"),
    ])
  func wrongDates(text: String, word: String) throws {
    #expect(try failure("\"\(text)\"", as: Date.self).contains(word))
  }

  @Test("any text is answered without a trap, whoever sent it")
  func noise() {
    let extremes = [
      "999999-12-31T00:00:00Z", "999999-12-31T00:00:00Z BC", "300000-01-01T00:00:00+00:00", "000000-01-01T00:00:00Z BC",
      "1e2147483647", "-1e-2147483648", "1e2147483648", "0e2147483647", "0.0e-2147483648", "1e127", "1e128", "1e-128",
      "1e-129", "1\(String(repeating: "0", count: 500))", "0.\(String(repeating: "0", count: 500))1",
      String(repeating: "9", count: 400), "9e-324", "1.7976931348623159e308",
    ]
    let alphabet = Array("0123456789+-.eE:TZ BCxN\\\\infity")
    let texts =
      extremes
      + (0..<1_000).map { _ in String((0..<Int.random(in: 0...14)).map { _ in alphabet.randomElement() ?? "0" }) }
    for text in texts {
      let json = "\"\(text.replacing("\\", with: "\\\\"))\""
      _ = try? column(json, as: Int.self)
      _ = try? column(json, as: UInt8.self)
      _ = try? column(json, as: Decimal.self)
      _ = try? column(json, as: Double.self)
      _ = try? column(json, as: Float.self)
      _ = try? column(json, as: Date.self)
      _ = try? column(json, as: Data.self)
      _ = try? column(json, as: URL.self)
      _ = try? column(json, as: UUID.self)
    }
  }

  @Test("booleans, bytes, addresses, identifiers, arrays and objects")
  func others() throws {
    #expect(try column("true", as: Bool.self))
    #expect(try column(#""\\x00ff61""#, as: Data.self) == Data([0, 255, 97]))
    #expect(try column(#""\\x""#, as: Data.self).isEmpty)
    #expect(try column(#""https://a.example/b""#, as: URL.self).absoluteString == "https://a.example/b")
    let id = "B1B2C3D4-0000-4000-8000-123456789ABC"
    #expect(try column("\"\(id)\"", as: UUID.self).uuidString == id)
    #expect(try column("[1.50,\"NaN\",null]", as: [String?].self) == ["1.50", "NaN", nil])
    #expect(try column("[[1],[2,3]]", as: [[Int]].self) == [[1], [2, 3]])
    #expect(try column(#"{"c":{"c":"1.10"}}"#, as: One<One<String>>.self) == One(c: One(c: "1.10")))
    for json in ["1", #""t""#, "[]"] { #expect(try failure(json, as: Bool.self).contains("no Bool")) }
    #expect(try failure(#""\\x0""#, as: Data.self).contains("no bytea"))
    #expect(throws: BroadcastError.self) { try column(#"[{"c":1},{"c":"x"}]"#, as: [One<Int>].self) }
  }

  @Test("an error names the column, also where that is not sent")
  func missing() throws {
    let error = try #require(throws: BroadcastError.self) {
      try Message(
        #"{"schema":"shop","table":"orders","action":"INSERT","transaction":"7","new":{},"old":null,"changed":[]}"#,
        to: "a"
      ).rowChange(of: One<Int>.self)
    }
    #expect(error.message.contains("\"c\"") && error.message.contains("columns that are sent"))
  }

  @Test(
    "what is no change is told, and why",
    arguments: [
      ("hello", "byte 0"), ("[]", "an array"), ("{}", "\"schema\""), ("{\"schema\":\"s\"", "byte 13"),
      (#"{"schema":"s","table":"t","action":"MERGE"}"#, "MERGE"),
      (#"{"schema":"s","table":"t","action":"INSERT","transaction":"x"}"#, "transaction"),
      (#"{"schema":"s","table":"t","action":"INSERT","transaction":"1"}"#, "changed"),
      (#"{"schema":"s","table":"t","action":"INSERT","transaction":"1","changed":[]}"#, "new"),
    ])
  func foreign(text: String, word: String) throws {
    let error = try #require(throws: BroadcastError.self) { try Message(text, to: "a").rowChange(of: One<Int>.self) }
    #expect(error.code == .undecodable && error.message.contains(word), "\(error.message)")
    #expect(throws: BroadcastError.self) { try Message([0xFF], to: "a").rowChange(of: One<Int>.self) }
  }

  @Test("a sequence goes on behind an error, and tells gaps")
  func sequence() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(
        to: ["a"], options: .init(buffer: .dropOldest(maximumMessages: 2, maximumBytes: 1 << 20)))
      var iterator = subscription.rowChanges(of: One<Int>.self).makeAsyncIterator()
      let change =
        #"{"schema":"s","table":"t","action":"DELETE","transaction":"1","new":null,"old":{"c":1},"changed":[]}"#
      for text in ["x", "nonsense", change] { try await broadcast.publish(text, to: "a") }
      guard case .gap(let gap) = try await iterator.next() else {
        Issue.record("no gap")
        return
      }
      #expect(gap.missed == 1)
      await #expect(throws: BroadcastError.self) { try await iterator.next() }
      guard case .change(let deleted) = try await iterator.next() else {
        Issue.record("no change")
        return
      }
      #expect(deleted.action == .delete && deleted.old == One(c: 1) && deleted.new == nil)
    }
  }
}
