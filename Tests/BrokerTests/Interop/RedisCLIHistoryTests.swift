//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingRedis
import TestSupport
import Testing

@Suite(
  "redis-cli beside histories",
  .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"), .timeLimit(.minutes(1)))
struct RedisCLIHistoryTests {
  private func withHistory(_ body: (RedisServer, any Broadcast) async throws -> Void) async throws {
    try await RedisServer.with { redis in
      var configuration = RedisBroadcast.Configuration()
      configuration.hub.history = [.init(ChannelPattern("*"))]
      try await withBroadcast(redis.url, among: [.redis(configuration)]) { broadcast in
        try await body(redis, broadcast)
      }
    }
  }

  @Test("it reads the messages with XRANGE while we publish: the ids are the positions, the bytes are the messages")
  func reading() async throws {
    try await withHistory { redis, broadcast in
      var positions: [MessagePosition] = []
      for text in ForeignText.all {
        positions.append(try #require(try await broadcast.publish(text, to: "a b").position))
        let newest = try await redis.cli(["--no-raw", "XREVRANGE", "broadcast:history:{a b}", "+", "-", "COUNT", "1"])
        #expect(newest.contains("\"\(try #require(positions.last))\""))
      }
      let all = try await redis.cli(["XRANGE", "broadcast:history:{a b}", "-", "+"]).split(separator: "\n")
      #expect(all.filter { MessagePosition(String($0)) != nil }.map(String.init) == positions.map(\.description))
      // What stands behind a position, as whoever comes back asks for it.
      let rest = try await redis.cli(["XRANGE", "broadcast:history:{a b}", "(\(positions[0])", "+"])
      #expect(!rest.contains(positions[0].description) && rest.contains(positions[1].description))
      #expect(try await redis.cli(["XLEN", "broadcast:history:{a b}"]) == "\(positions.count)")
    }
  }

  @Test("it hears the plain text, and nothing beside it")
  func listening() async throws {
    try await withHistory { redis, broadcast in
      let cli = try await redis.startCLI(["--no-raw", "SUBSCRIBE", "chat"])
      try await cli.line(containing: "(integer) 1")
      for text in ["plain \"é\"\n", "", "next"] { try await broadcast.publish(text, to: "chat") }
      for expected in [#""plain \"\xc3\xa9\"\n""#, #""""#, #""next""#] {
        #expect(try await cli.line() == #"1) "message""#)
        #expect(try await cli.line() == #"2) "chat""#)
        #expect(try await cli.line() == "3) \(expected)")
      }
    }
  }

  @Test("what it publishes is heard in its place, without a position, and is not kept")
  func publishing() async throws {
    try await withHistory { redis, broadcast in
      var deliveries = try await broadcast.subscribe(to: "chat").makeAsyncIterator()
      let first = try await broadcast.publish("ours", to: "chat").position
      try await redis.cli(["PUBLISH", "chat", "ours"])
      let second = try await broadcast.publish("ours", to: "chat").position
      for position in [first, nil, second] {
        #expect(try await deliveries.next() == .message(Message("ours", to: "chat", position: position)))
      }
      #expect(try await redis.cli(["XLEN", "broadcast:history:{chat}"]) == "2")
    }
  }
}
