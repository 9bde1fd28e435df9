//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingRedis
import TestSupport
import Testing

@Suite(
  "Presence of processes that die", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(3)))
struct PresenceProcessTests {
  @Test("one that is killed takes its members along within 30 s, and those of others stay")
  func killed() async throws {
    try await withWatcher { server, model in
      let victim = try await start(["a", "b", "shared"], server)
      let other = try await start(["shared", "c"], server)
      try await wait(for: "joining") { model.members.count == 4 }
      victim.signal(.kill)
      try await wait(for: "leaving", within: .seconds(30)) { model.members.count == 2 }
      #expect(model.members == [.init("shared", info: "i"), .init("c", info: "i")])
      #expect(model.presents == 1)
      // A polite end takes them along at once, and is one by the signal, as a shell expects it.
      let end = ContinuousClock.now
      other.signal(.terminate)
      #expect(try await other.exit() == .signal(15))
      try await wait(for: "leaving") { model.members.isEmpty }
      // Leases last longer.
      #expect(ContinuousClock.now - end < .seconds(10))
      #expect(model.violations == [])
    }
  }

  @Test("who comes back at once after a kill is never seen leaving")
  func restarted() async throws {
    try await withWatcher { server, model in
      let first = try await start(["a", "gone"], server)
      first.signal(.kill)
      let second = try await start(["a"], server)
      try await wait(for: "leaving", within: .seconds(30)) { model.members == [.init("a", info: "i")] }
      #expect(model.left == 1)
      second.signal(.terminate)
      _ = try await second.exit()
    }
  }

  private func start(_ names: [String], _ server: RedisServer) async throws -> ChildProcess {
    let process = try await ServerProcess.command(
      ["presence", server.url, "room", "--info", "i"] + names.flatMap { ["--as", $0] })
    try await process.line(.errors, containing: "present on room")
    return process
  }

  private func withWatcher(_ body: (RedisServer, WatcherModel) async throws -> Void) async throws {
    try await RedisServer.with { server in
      try await withBroadcast(try RedisBroadcast(server.url)) { broadcast in
        let model = WatcherModel()
        try await withThrowingTaskGroup(of: Void.self) { group in
          defer { group.cancelAll() }
          let updates = try await broadcast.presenceUpdates(of: "room")
          group.addTask { try await model.follow(updates) }
          try await body(server, model)
        }
      }
    }
  }
}
