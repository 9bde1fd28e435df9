//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite(
  "Publishing through a database", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct PublishingTests {
  @Test("equal messages at the same instant all arrive")
  func equal() async throws {
    try await withDatabase { _, broadcast in
      var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
      let messages = ["x", "y", "x", "x", "y"].map { Message($0, to: "a") }
      try await broadcast.publish(messages)
      #expect(try await heard(5, of: &iterator) == ["x", "y", "x", "x", "y"])
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<20 { group.addTask { _ = try await broadcast.publish("same", to: "a") } }
        try await group.waitForAll()
      }
      #expect(try await heard(20, of: &iterator) == Array(repeating: "same", count: 20))
    }
  }

  @Test("what NOTIFY can't carry arrives whole, in its order among the others")
  func large() async throws {
    try await withDatabase { _, broadcast in
      var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
      let sizes = [7_999, 8_000, 1, 20_000, 1_000_000]
      let messages = sizes.map {
        Message(String(repeating: "€", count: $0 / 3) + String(repeating: "x", count: $0 % 3), to: "a")
      }
      try await broadcast.publish(messages)
      #expect(try await heard(5, of: &iterator).map(\.utf8.count) == sizes)
      let binary = (0..<30_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      try await broadcast.publish(binary, to: "a")
      #expect(try await heard(1, of: &iterator) == ["binary \(binary)"])
    }
  }

  @Test("text is on the wire as it is, and so is what others notify")
  func plain() async throws {
    try await withDatabase { server, broadcast in
      let psql = try await server.startPSQL()
      try psql.send(#"LISTEN "Some ""Channel"""; SELECT 'listening';"#)
      try await psql.line(containing: "listening")
      var iterator = try await broadcast.subscribe(to: [#"Some "Channel""#]).makeAsyncIterator()
      try await broadcast.publish("größe", to: #"Some "Channel""#)
      try psql.send(#"NOTIFY "Some ""Channel""", 'back'; SELECT 'done';"#)
      try await psql.line(containing: #"Asynchronous notification "Some "Channel"" with payload "größe""#)
      #expect(try await heard(2, of: &iterator) == ["größe", "back"])
    }
  }

  @Test("what the database's encoding lacks fails alone, and its neighbours arrive")
  func encoding() async throws {
    try await withDatabase("latin", encoding: "LATIN1") { _, broadcast in
      var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
      let failed = try await withThrowingTaskGroup(of: Int?.self) { group in
        for number in 0..<50 {
          group.addTask {
            do throws(BroadcastError) {
              try await broadcast.publish(number % 10 == 3 ? "\(number) 😀" : "\(number) é", to: "a")
              return nil
            } catch {
              #expect(error.code == .refused && !error.isRetriable && error.outcome == .notSent)
              #expect(error.message.contains("encoding"))
              return number
            }
          }
        }
        return try await group.reduce(into: Set<Int>()) { if let number = $1 { $0.insert(number) } }
      }
      #expect(failed == [3, 13, 23, 33, 43])
      let expected = Set((0..<50).filter { $0 % 10 != 3 }.map { "\($0) é" })
      #expect(Set(try await heard(45, of: &iterator)) == expected)
      // What is in an envelope is ASCII.
      try await broadcast.publish(Array("😀".utf8), to: "a")
      #expect(try await heard(1, of: &iterator) == ["binary \(Array("😀".utf8))"])
    }
  }

  @Test("a name that the database's encoding lacks fails alone")
  func channelEncoding() async throws {
    try await withDatabase("latin", encoding: "LATIN1") { _, broadcast in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<20 {
          group.addTask { _ = try await broadcast.subscribe(to: [Channel("good \(number)")]) }
        }
        group.addTask {
          let error = await #expect(throws: BroadcastError.self) { _ = try await broadcast.subscribe(to: ["😀"]) }
          #expect(error?.code == .refused && error?.isRetriable == false)
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("a message of which parts are missing is a gap")
  func missingParts() async throws {
    try await withDatabase { server, broadcast in
      var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
      try await server.psql(
        #"SELECT pg_notify('a', E'\x02bc1p1 1 3 6 ab'), pg_notify('a', E'\x02bc1p1 3 3 6 ef'), pg_notify('a', 'next')"#)
      #expect(try await heard(2, of: &iterator) == ["gap", "next"])
    }
  }

  @Test("a message beyond the limit is refused before anything is sent")
  func limit() async throws {
    try await withDatabase { _, broadcast in
      let text = String(repeating: "x", count: 1_048_577)
      let error = await #expect(throws: BroadcastError.self) { try await broadcast.publish(text, to: "a") }
      #expect(error?.code == .messageTooLarge && error?.outcome == .notSent)
    }
  }
}
