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

  @Test("a user without the right to announce positions is told so at the start")
  func announcing() async throws {
    try await withUser("resetchannels &__broadcast.probe.* &__broadcast.trial &chat.*") { server, url in
      let error = try await refusal(url) {
        $0.hub.connectPatience = .seconds(60)
        $0.hub.history = [.init(ChannelPattern("*"))]
      }
      #expect(error?.isRetriable == false)
      #expect(error?.message.contains("&__broadcast.*") == true, "\(error?.message ?? "")")
    }
  }

  @Test("a channel that the user may not publish to is refused alone, and no position is lost")
  func channel() async throws {
    try await withUser("") { server, url in
      try await withRedis(url, .keeping("*")) { broadcast in
        let first = try await broadcast.record("1", to: "chat.a")
        var deliveries = try await broadcast.subscribe(to: ["chat.a"]).makeAsyncIterator()
        let refused = await failure { try await broadcast.publish("no", to: "other") }
        #expect(refused?.code == .refused && refused?.outcome == .notSent, "\(refused?.description ?? "")")
        #expect(refused?.message.contains("& with the channels") == true, "\(refused?.message ?? "")")
        #expect(try await server.cli(["EXISTS", "broadcast:history:{other}", "broadcast:log:{other}"]) == "0")
        let subscribing = await failure { try await broadcast.subscribe(to: "other") }
        #expect(subscribing?.code == .refused)
        // Nobody waits until the announcements are given up again.
        try await settle { try await server.cli(["PUBSUB", "CHANNELS", "*{other}*"]) == "" }

        let publisher = try await server.cli(["CLIENT", "LIST"]).split(separator: "\n").count {
          $0.contains("user=app")
        }
        #expect(publisher == 3)
        let second = try await broadcast.record("2", to: "chat.a")
        #expect(second == first.next)
        #expect(try await take(1, &deliveries).map(\.position) == [second])
      }
    }
  }

  @Test("a key of another kind is told, and the message is not published")
  func wrongType() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*")) { broadcast in
        try await server.cli(["SET", "broadcast:history:{a}", "x"])
        try await server.cli(["SET", "broadcast:log:{b}", "x"])
        for channel in ["a", "b"] as [Channel] {
          let error = await failure { try await broadcast.publish("x", to: channel) }
          #expect(error?.isRetriable == false && error?.outcome == .notSent)
          #expect(error?.message.contains("keyPrefix") == true, "\(error?.message ?? "")")
        }
        try await broadcast.record("x", to: "c")
      }
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
