//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite(
  "What histories need of a Redis server",
  .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"),
  .timeLimit(.minutes(1)))
struct HistoryStartTests {
  @Test("the rights of the documentation are enough, and nothing is left of the trial of them")
  func rights() async throws {
    try await withUser("") { server, url in
      try await withRedis(url, .keeping("*")) { _ in
        let clients = try await server.cli(["CLIENT", "LIST"]).split(separator: "\n")
        #expect(clients.count { $0.contains("user=app") } == 3)
        #expect(try await server.cli(["KEYS", "broadcast:history*"]) == "")
      }
    }
  }

  @Test(
    "a user who lacks any of them is told all of them at the start",
    arguments: [
      "-info", "-evalsha", "-script|load", "-time", "-hmget", "-hset", "-del", "-xadd", "-xlen", "-xrange",
      "-xrevrange",
      "-xtrim", "-xdel", "-pexpire", "resetkeys", "resetkeys ~other:*",
    ])
  func lacking(right: String) async throws {
    try await withUser(right) { server, url in
      let error = try await refusal(url) {
        $0.hub.connectPatience = .seconds(60)
        $0.hub.history = [.init(ChannelPattern("*"))]
      }
      #expect(error?.code == .refused)
      #expect(error?.isRetriable == false)
      #expect(error?.message.contains("+script|load") == true, "\(error?.message ?? "")")
    }
  }

  @Test("a cluster is refused, but only where there are histories")
  func cluster() async throws {
    var options = RedisServer.Options()
    options.settings = ["cluster-enabled": "yes"]
    try await RedisServer.with(options) { server in
      let error = try await refusal(server.url) {
        $0.hub.connectPatience = .seconds(60)
        $0.hub.history = [.init(ChannelPattern("*"))]
      }
      #expect(error?.isRetriable == false)
      #expect(error?.message.contains("cluster") == true, "\(error?.message ?? "")")
      try await withRedis(server.url) { try await $0.publish("x", to: "a") }
    }
  }

  @Test("a server without memory for histories still carries messages of other channels")
  func outOfMemory() async throws {
    try await RedisServer.with { server in
      try await server.cli(["CONFIG", "SET", "maxmemory", "1"])
      try await withRedis(server.url, .keeping("kept")) { try await $0.publish("x", to: "plain") }
    }
  }

  private func withUser(_ change: String, _ body: (RedisServer, String) async throws -> Void) async throws {
    var options = RedisServer.Options()
    options.users = [
      "app on >word resetchannels &__broadcast.* &chat.* ~broadcast:* +subscribe +psubscribe +unsubscribe +punsubscribe "
        + "+publish +info +evalsha +script|load +time +hmget +hset +del +xadd +xlen +xrange +xrevrange +xtrim +xdel +pexpire "
        + change
    ]
    try await RedisServer.with(options) { server in
      try await body(server, "redis://app:word@\(server.address)")
    }
  }
}
