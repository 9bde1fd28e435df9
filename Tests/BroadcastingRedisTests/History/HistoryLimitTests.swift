//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite(
  "Limits of histories on a real Redis server",
  .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"), .timeLimit(.minutes(1)))
struct HistoryLimitTests {
  private static let stream = "broadcast:history:{chat}"

  @Test("no more messages are kept than the limit, exactly")
  func count() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*", .init(maximumMessages: 3))) { broadcast in
        for number in 1...10 { try await broadcast.publish("\(number)", to: "chat") }
        #expect(try await broadcast.texts("chat") == ["8", "9", "10"])
        #expect(try await server.cli(["XLEN", Self.stream]) == "3")
        #expect(try await broadcast.texts("chat", .last(2)) == ["9", "10"])
      }
    }
  }

  @Test("no more bytes are kept than the limit, and always the newest message")
  func bytes() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*", .init(maximumMessages: 1_000, maximumBytes: 10_000))) { broadcast in
        let text = String(repeating: "x", count: 100)
        for number in 1...500 {
          try await broadcast.publish(text, to: "chat")
          // A process for each look is what takes the time here.
          guard number % 7 == 0 else { continue }
          let count = try #require(Int(try await server.cli(["XLEN", Self.stream])))
          #expect(count <= 100)
        }
        #expect(try await broadcast.all("chat").count >= 87)
        let large = String(repeating: "y", count: 50_000)
        try await broadcast.publish(large, to: "chat")
        #expect(try await broadcast.texts("chat") == [large])
        try await broadcast.publish(text, to: "chat")
        #expect(try await broadcast.texts("chat") == [text])
      }
    }
  }

  @Test("what the limit of messages took counts no more among the bytes")
  func countAndBytes() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*", .init(maximumMessages: 50, maximumBytes: 10_000))) { broadcast in
        let text = String(repeating: "x", count: 100)
        for _ in 1...500 { try await broadcast.publish(text, to: "chat") }
        #expect(try await broadcast.all("chat").count == 50)
      }
    }
  }

  @Test("nothing older than the limit is read, with or without newer messages, and in the end it is gone")
  func age() async throws {
    try await RedisServer.with { server in
      // Longer than a busy machine needs to read what was just published.
      try await withRedis(server.url, .keeping("*", .init(maximumAge: .seconds(4)))) { broadcast in
        try await broadcast.publish("old", to: "quiet")
        let old = try await broadcast.record("old", to: "chat")
        #expect(try await broadcast.texts("chat") == ["old"])
        try await settle { try await broadcast.all("chat").isEmpty }
        // The head is known after all messages are gone.
        #expect(try await broadcast.page("chat", .live).head == old)
        let new = try await broadcast.record("new", to: "chat")
        #expect(new == old.next)
        #expect(try await broadcast.texts("chat") == ["new"])
        try await settle { try await server.cli(["EXISTS", Self.stream]) == "0" }
        #expect(try await server.cli(["EXISTS", "broadcast:history:{quiet}"]) == "0")
        #expect(try await broadcast.page("chat", .live).head == new)
        for _ in 0..<3 { try await broadcast.record("x", to: "chat") }
        let left = try #require(Int(try await server.cli(["PTTL", "broadcast:log:{chat}"])))
        #expect(left > 6 * 86_400_000)
      }
    }
  }

  @Test("messages that are all too old are not looked through one by one")
  func allTooOld() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*", .init(maximumMessages: 10_000, maximumAge: .seconds(8)))) {
        broadcast in
        for _ in 0..<10 { try await broadcast.publish((0..<100).map { Message("\($0)", to: "chat") }) }
        // As if they had been published long ago.
        let aging = """
          local all = redis.call('XRANGE', KEYS[1], '-', '+')
          redis.call('DEL', KEYS[1])
          for _, one in ipairs(all) do redis.call('XADD', KEYS[1], one[1], 'message', one[2][2], 'time', '1000') end
          return #all
          """
        #expect(try await server.cli(["EVAL", aging, "1", Self.stream]) == "1000")
        try await server.cli(["CONFIG", "RESETSTAT"])
        #expect(try await broadcast.texts("chat") == [])
        let calls = try await server.cli(["INFO", "commandstats"]).split(whereSeparator: \.isNewline)
          .filter { $0.contains("_xrange:") || $0.contains("_xrevrange:") }
        #expect(calls.count == 2 && calls.allSatisfy { $0.contains("calls=1,") }, "\(calls)")
      }
    }
  }

  @Test("a message that is too large to be taken has its place, in a page and live")
  func tooLarge() async throws {
    try await RedisServer.with { server in
      var large = RedisBroadcast.Configuration.keeping("*", .init(maximumBytes: 1 << 25))
      large.maximumMessageBytes = 4 << 20
      try await withRedis(server.url, large) { writer in
        var small = RedisBroadcast.Configuration.keeping("*", .init(maximumBytes: 1 << 25))
        small.maximumMessageBytes = 1_000
        small.maximumReceivedBytes = 1_000
        try await withRedis(server.url, small) { reader in
          var deliveries = try await reader.subscribe(to: ["chat"]).makeAsyncIterator()
          let first = try await writer.record("1", to: "chat")
          for _ in 0..<3 { try await writer.record(String(repeating: "x", count: 3 << 20), to: "chat") }
          let last = try await writer.record("5", to: "chat")
          #expect(last.offset == 5)

          #expect(try await deliveries.next() == .message(Message("1", to: "chat", position: first)))
          var missed = 0
          while let delivery = try await deliveries.next() {
            guard case .gap(let gap) = delivery else {
              #expect(delivery == .message(Message("5", to: "chat", position: last)))
              break
            }
            missed += gap.missed ?? 0
          }
          #expect(missed == 3)
          // Each of them is a page of its own, and none of them ends the reading.
          let all = try await reader.all("chat")
          #expect(all.map(\.position) == [first, last])
        }
      }
    }
  }
}
