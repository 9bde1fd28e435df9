//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingRedis
import TestSupport
import Testing

@Suite(
  "redis-cli on the same broker", .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"),
  .timeLimit(.minutes(1)))
struct RedisCLITests {
  @Test("what it publishes arrives, byte for byte: text as text, and else as binary")
  func theirs() async throws {
    try await RedisServer.with { redis in
      try await withBroadcast(redis.url, among: [.redis]) { broadcast in
        let arrived = try await ForeignText.arrivals(of: ForeignText.all, at: broadcast, on: "a b") { text in
          try await redis.cli(["-x", "PUBLISH", "a b"], input: Array(text.utf8))
        }
        #expect(arrived == ForeignText.all.map { Message($0, to: "a b") })

        let bytes = Array(UInt8.min ... .max)
        let subscription = try await broadcast.subscribe(to: "a b")
        try await redis.cli(["-x", "PUBLISH", "a b"], input: bytes)
        var deliveries = subscription.makeAsyncIterator()
        #expect(try await deliveries.next() == .message(Message(bytes, to: "a b")))
      }
    }
  }

  @Test("it hears what we publish, byte for byte")
  func ours() async throws {
    try await RedisServer.with { redis in
      // Not raw: each string in quotes, with all but plain characters escaped.
      let cli = try await redis.startCLI(["--no-raw", "SUBSCRIBE", "a b"])
      try await cli.line(containing: "(integer) 1")
      try await withBroadcast(redis.url, among: [.redis]) { broadcast in
        try await broadcast.publish("plain \"é\"\n", to: "a b")
        try await cli.line(containing: #""a b""#)
        #expect(try await cli.line() == #"3) "plain \"\xc3\xa9\"\n""#)
        try await broadcast.publish([0, 255, 10, 65], to: "a b")
        try await cli.line(containing: #""a b""#)
        #expect(try await cli.line() == #"3) "\x00\xff\nA""#)
        try await broadcast.publish("", to: "a b")
        try await cli.line(containing: #""a b""#)
        #expect(try await cli.line() == #"3) """#)
      }
    }
  }
}
