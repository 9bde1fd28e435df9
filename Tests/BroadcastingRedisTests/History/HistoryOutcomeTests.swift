//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite("What is told of messages that a server can't keep", .timeLimit(.minutes(2)))
struct HistoryOutcomeTests {
  private static let stream = "broadcast:history:{chat}"
  private static let log = "broadcast:log:{chat}"

  /// Publishes what is refused, and checks that nobody hears it.
  private func expectRefusal(
    _ word: String, by server: RedisServer, keepsLog: Bool = true, _ prepare: [String], _ mend: [String]
  ) async throws {
    try await withRedis(server.url, .keeping("*")) { broadcast in
      let subscription = try await broadcast.subscribe(to: "chat")
      let reader = TextReader(subscription)
      let before = try await broadcast.record("before", to: "chat")
      try await server.cli(prepare)
      let error = await failure { try await broadcast.publish("refused", to: "chat") }
      #expect(error?.outcome == .notSent && error?.message.contains(word) == true, "\(error?.message ?? "")")
      try await server.cli(mend)
      let after = try await broadcast.record("after", to: "chat")
      if keepsLog { #expect(after == before.next) }
      for text in ["before", "after"] { #expect(try await reader.next() == text) }
      subscription.cancel()
    }
  }

  @Test("a server without memory, a disk that takes nothing, a replica that is missing: not sent, and heard by nobody")
  func states() async throws {
    try await RedisServer.with { server in
      try await expectRefusal(
        "OOM", by: server, ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"])
      try await expectRefusal(
        "NOREPLICAS", by: server, ["CONFIG", "SET", "min-replicas-to-write", "1"],
        ["CONFIG", "SET", "min-replicas-to-write", "0"])
    }
  }

  @Test("a key of another program in the place of either is refused before anything is sent")
  func foreignKeys() async throws {
    try await RedisServer.with { server in
      for key in [Self.stream, Self.log] {
        try await server.cli(["FLUSHALL"])
        try await expectRefusal(
          "WRONGTYPE", by: server, keepsLog: false,
          ["EVAL", "redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[1], 'x')", "1", key],
          ["DEL", key])
      }
    }
  }

  @Test("a new channel is refused like others where there is no memory")
  func newChannel() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*")) { broadcast in
        try await server.cli(["CONFIG", "SET", "maxmemory", "1"])
        #expect(await failure { try await broadcast.publish("x", to: "new") }?.outcome == .notSent)
        let reader = TextReader(try await broadcast.subscribe(to: "new"))
        try await server.cli(["CONFIG", "SET", "maxmemory", "0"])
        #expect(try await server.cli(["KEYS", "*new*"]) == "")
        try await broadcast.record("x", to: "new")
        #expect(try await reader.next() == "x")
      }
    }
  }

  @Test("what somebody else has added behind the newest message gives way, and the message is heard and kept")
  func laterEntry() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*", .init(maximumBytes: 1_000))) { broadcast in
        let reader = TextReader(try await broadcast.subscribe(to: "chat"))
        let before = try await broadcast.record("before", to: "chat")
        try await server.cli(["XADD", Self.stream, "9007199254740000-1", "foreign", "x"])
        let position = try await broadcast.record("x", to: "chat")
        #expect(position == before.next)
        let after = try await broadcast.record("after", to: "chat")
        #expect(after == position.next)
        for text in ["before", "x", "after"] { #expect(try await reader.next() == text) }
        #expect(try await broadcast.texts("chat") == ["x", "after"])
        #expect(try await server.cli(["HGET", Self.log, "bytes"]) == "6")
        // What went is told to who comes back, with its number.
        try await withRedis(server.url, .keeping("*")) { other in
          let back = TextReader(try await other.subscribe(to: "chat", from: .after(.beginning)))
          for text in ["gap", "x", "after"] { #expect(try await back.next() == text) }
        }
      }
    }
  }

  @Test("a log that lacks what it should have begins anew")
  func brokenLog() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*")) { broadcast in
        let before = try await broadcast.record("before", to: "chat")
        try await server.cli(["HDEL", Self.log, "offset"])
        let after = try await broadcast.record("after", to: "chat")
        #expect(after.epoch > before.epoch && after.offset == 1)
      }
    }
  }

  @Test("who has lost the right to keep messages meanwhile hears that one was published all the same")
  func lostRight() async throws {
    var options = RedisServer.Options()
    options.users = ["app on >word allchannels ~* +@all"]
    try await RedisServer.with(options) { server in
      try await withRedis("redis://app:word@\(server.address)", .keeping("*")) { broadcast in
        let reader = TextReader(try await broadcast.subscribe(to: "chat"))
        try await server.cli(["ACL", "SETUSER", "app", "-xadd"])
        let error = await failure { try await broadcast.publish("x", to: "chat") }
        #expect(error?.outcome == .unconfirmed && error?.isRetriable == false, "\(error?.message ?? "")")
        #expect(error?.message.contains("does not keep it") == true, "\(error?.message ?? "")")
        #expect(try await reader.next() == "x")
        try await server.cli(["ACL", "SETUSER", "app", "+xadd"])
        try await broadcast.record("y", to: "chat")
        #expect(try await reader.next() == "y")
      }
    }
  }

  @Test("who may not publish on a channel leaves its log as it was")
  func noRightToChannel() async throws {
    var options = RedisServer.Options()
    options.users = ["app on >word resetchannels &__broadcast.* &may.* ~* +@all"]
    try await RedisServer.with(options) { server in
      try await withRedis(server.url, .keeping("*")) { broadcast in
        _ = try await broadcast.driver.open("chat")
        let log = ["HMGET", Self.log, "epoch", "offset", "run"]
        let before = try await server.cli(log)
        try await withRedis("redis://app:word@\(server.address)", .keeping("*")) { other in
          #expect(await failure { try await other.publish("x", to: "chat") }?.outcome == .notSent)
        }
        #expect(try await server.cli(log) == before)
        let position = try await broadcast.record("y", to: "chat")
        #expect(position.offset == 1)
        #expect(before.contains("\(position.epoch)"))
      }
    }
  }
}
