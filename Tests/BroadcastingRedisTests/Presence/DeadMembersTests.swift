//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingRedis

/// What the script does with the members of programs that died, stalled, or of which a part is lost.
@Suite(
  "The dead on Redis", .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"),
  .timeLimit(.minutes(2)))
struct DeadMembersTests {
  private let key = "broadcast:presence:{room}"

  /// Leaves what a program leaves that died with so many members.
  private func die(_ members: Int, on server: RedisServer, knowsThem: Bool = true) async throws {
    let script = """
      for index = 1, \(members) do
        redis.call('HSET', KEYS[1], 'dead ' .. index, '')
        redis.call('HSET', KEYS[1] .. ':held', 'dead ' .. index, 1)
        \(knowsThem ? "redis.call('HSET', KEYS[1] .. ':by:0123', 'dead ' .. index, 1)" : "")
      end
      redis.call('ZADD', KEYS[1] .. ':leases', 1000, '0123')
      """
    try await server.cli(["EVAL", script, "1", key])
  }

  @Test("all members of a large program are taken out, by a watcher and by who only looks")
  func many() async throws {
    try await RedisServer.with { server in
      try await die(10_000, on: server)
      try await withRedis(server.url) { one in
        #expect(try await one.presence(of: "room") == [])
        try await die(10_000, on: server)
        let model = WatcherModel()
        try await withThrowingTaskGroup(of: Void.self) { group in
          let updates = try await one.presenceUpdates(of: "room")
          group.addTask { try await model.follow(updates) }
          try await settle { try await server.cli(["HLEN", key]) == "0" && model.count > 0 && model.members.isEmpty }
          #expect(model.violations == [])
          group.cancelAll()
        }
      }
    }
  }

  @Test("members of a dead program of which only its lease is left go too, and the living stay")
  func ghosts() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url) { one in
        let ann = try await one.enterPresence(on: "room", as: .init("ann"))
        let model = WatcherModel()
        try await withThrowingTaskGroup(of: Void.self) { group in
          defer { group.cancelAll() }
          let updates = try await one.presenceUpdates(of: "room")
          group.addTask { try await model.follow(updates) }
          try await settle { model.count == 1 }
          try await die(3, on: server, knowsThem: false)
          try await settle { try await server.cli(["HKEYS", key]) == "ann" }
          try await settle { model.members == [.init("ann")] }
          #expect(model.left == 0)
        }
        withExtendedLifetime(ann) {}
      }
    }
  }

  @Test("a program that was taken for dead while it stalled comes back, and nobody else is told again")
  func stalled() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url) { one in
        let ann = try await one.enterPresence(on: "room", as: .init("ann"))
        let process = try await server.cli(["ZRANGE", "\(key):leases", "0", "-1"])
        try await withRedis(server.url) { two in
          let ben = try await two.enterPresence(on: "room", as: .init("ben"))
          let epoch = try await server.cli(["HGET", "\(key):state", "epoch"])
          // Its own check may come in between.
          try await settle {
            try await server.cli(["ZADD", "\(key):leases", "1000", process])
            return try await two.presence(of: "room").map(\.name) == ["ben"]
          }
          try await settle { try await two.presence(of: "room").map(\.name) == ["ann", "ben"] }
          #expect(try await server.cli(["HGET", "\(key):state", "epoch"]) == epoch)
          withExtendedLifetime((ann, ben)) {}
        }
      }
    }
  }

  @Test("a program that has left keeps no lease")
  func leaving() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url) { one in
        let ann = try await one.enterPresence(on: "room", as: .init("ann"))
        #expect(try await server.cli(["ZCARD", "\(key):leases"]) == "1")
        ann.leave()
        try await settle { try await server.cli(["EXISTS", "\(key):leases"]) == "0" }
      }
    }
  }
}
