//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingRedis
import TestSupport
import Testing

@Suite(
  "Presence on a Redis that fails", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(3)))
struct PresenceFaultTests {
  /// A program's members are gone so long after its death.
  private static let dying = Duration.seconds(30)
  /// An empty broker is filled again so long after it answers.
  private static let filling = Duration.seconds(5)

  /// What happens to the server, and after what it has lost all that it knew.
  struct Loss: Sendable, CustomTestStringConvertible {
    var name: String
    var keepsData = false
    var perform: @Sendable (RedisServer) async throws -> Void
    var testDescription: String { name }
  }

  static let losses = [
    Loss(name: "FLUSHALL") { try await $0.cli(["FLUSHALL"]) },
    Loss(name: "kill -9, without data") { try await $0.restart() },
    Loss(name: "kill -9, with its data", keepsData: true) { try await $0.restart() },
    Loss(name: "kill -9, with its data, back when all leases are over", keepsData: true) { server in
      try await server.kill()
      // Longer than a lease, which is 15 s.
      try await Task.sleep(for: .seconds(17))
      try await server.start()
    },
    evicting("*:by:*"), evicting("*:held"), evicting("*:state"), evicting("*:leases"), evicting("*presence:{room}"),
    Loss(name: "SCRIPT FLUSH") { try await $0.cli(["SCRIPT", "FLUSH"]) },
    Loss(name: "CLIENT KILL") { server in
      for type in ["pubsub", "normal"] { try await server.cli(["CLIENT", "KILL", "TYPE", type]) }
    },
  ]

  /// One key is lost, and nothing else. It is found by the next check.
  private static func evicting(_ pattern: String) -> Loss {
    Loss(name: "eviction of \(pattern)") { server in
      for key in try await server.cli(["KEYS", pattern]).split(separator: "\n").prefix(1) {
        try await server.cli(["DEL", String(key)])
      }
      // A check is due every 3 s, and what it finds is told within as long.
      try await Task.sleep(for: .seconds(7))
    }
  }

  @Test("all are back soon, and watchers see nobody leave who stays", arguments: losses)
  func loss(loss: Loss) async throws {
    var options = RedisServer.Options()
    options.keepsData = loss.keepsData
    try await RedisServer.with(options) { server in
      try await withPrograms(3, server.url) { programs in
        let models = [WatcherModel(), WatcherModel()]
        try await withThrowingTaskGroup(of: Void.self) { group in
          defer { group.cancelAll() }
          for (program, model) in zip(programs, models) {
            let updates = try await program.presenceUpdates(of: "room")
            group.addTask { try await model.follow(updates) }
          }
          var entries: [PresenceEntry] = []
          for number in 0..<600 {
            // Some are of two programs.
            for program in Set([number % 3, number % 2]) {
              entries.append(
                try await programs[program].enterPresence(on: "room", as: .init("\(number)", info: "i\(number)")))
            }
          }
          var expected = Set((0..<600).map { PresenceMember("\($0)", info: "i\($0)") })
          try await wait(for: "joining") { models.allSatisfy { $0.members == expected } }
          try await loss.perform(server)
          try await wait(for: "the first answer") { (try? await server.cli(["PING"])) == "PONG" }
          try await wait(for: "being back", within: Self.filling + Promised.slack) {
            (try? await server.cli(["HLEN", "broadcast:presence:{room}"])) == "600"
          }
          try await wait(for: "connections", within: Promised.recovering) {
            programs.allSatisfy(\.statistics.isAvailable)
          }
          #expect(models.map(\.left) == [0, 0])
          // It goes on as if nothing had been.
          let late = try await programs[2].enterPresence(on: "room", as: .init("late"))
          for entry in entries where entry.member.name == "7" { entry.leave() }
          expected.insert(.init("late"))
          expected.remove(.init("7", info: "i7"))
          try await wait(for: "news", within: .seconds(10)) { models.allSatisfy { $0.members == expected } }
          #expect(Set(try await programs[2].presence(of: "room")) == expected)
          #expect(models.flatMap(\.violations) == [])
          #expect(models.allSatisfy { $0.left <= 1 })
          withExtendedLifetime((late, entries)) {}
        }
      }
    }
  }

  @Test("the members of a program that is cut off leave in time, others stay, and it comes back with all of them")
  func cutOff() async throws {
    try await RedisServer.with { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        try await withPrograms(1, server.url) { programs in
          try await withPrograms(1, server.url(port: proxy.port)) { cutOff in
            let model = WatcherModel()
            try await withThrowingTaskGroup(of: Void.self) { group in
              defer { group.cancelAll() }
              let updates = try await programs[0].presenceUpdates(of: "room")
              group.addTask { try await model.follow(updates) }
              let stays = try await programs[0].enterPresence(on: "room", as: .init("stays"))
              let both = [
                try await programs[0].enterPresence(on: "room", as: .init("both")),
                try await cutOff[0].enterPresence(on: "room", as: .init("both")),
              ]
              var entries: [PresenceEntry] = []
              for number in 0..<1_200 {
                entries.append(try await cutOff[0].enterPresence(on: "room", as: .init("\(number)")))
              }
              let gone = try await cutOff[0].enterPresence(on: "room", as: .init("gone"))
              try await wait(for: "joining") { model.members.count == 1_203 }
              await proxy.set(.silent)
              let start = ContinuousClock.now
              try await wait(for: "leaving", within: Self.dying) { model.members.count == 2 }
              // A lease of 15 s was renewed 5 s before, or a little longer ago on a busy machine.
              #expect(ContinuousClock.now - start > .seconds(7), "A short absence is none.")
              #expect(model.presents == 1)
              try await wait(for: "noticing") { !cutOff[0].statistics.isAvailable }
              gone.leave()
              let error = await failure { try await cutOff[0].enterPresence(on: "room", as: .init("x")) }
              #expect(error?.isRetriable == true)
              await proxy.set(.forward)
              try await wait(for: "coming back", within: Promised.recovering) { model.members.count == 1_202 }
              #expect(try await programs[0].presence(of: "room").count == 1_202)
              #expect(model.violations == [])
              withExtendedLifetime((stays, both, entries)) {}
            }
          }
        }
      }
    }
  }

  @Test("members who left while their program was cut off for a short time are gone when it is back, and only they")
  func leavingWhileAway() async throws {
    try await RedisServer.with { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        try await withPrograms(1, server.url) { programs in
          try await withPrograms(1, server.url(port: proxy.port)) { cutOff in
            let model = WatcherModel()
            try await withThrowingTaskGroup(of: Void.self) { group in
              defer { group.cancelAll() }
              let updates = try await programs[0].presenceUpdates(of: "room")
              group.addTask { try await model.follow(updates) }
              var entries: [PresenceEntry] = []
              for number in 0..<400 {
                entries.append(try await cutOff[0].enterPresence(on: "room", as: .init("\(number)")))
              }
              await proxy.refuse()
              await proxy.cut()
              try await wait(for: "noticing") { !cutOff[0].statistics.isAvailable }
              for entry in entries.prefix(100) { entry.leave() }
              try await proxy.listenAgain()
              try await wait(for: "being right", within: Promised.recovering) { model.members.count == 300 }
              #expect(model.left == 100)
              #expect(model.presents == 1)
              withExtendedLifetime(entries) {}
            }
          }
        }
      }
    }
  }

  @Test("1,000 members of three programs come and go at random, with lost lines, and all agree at every quiet point")
  func model() async throws {
    try await RedisServer.with { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        try await withPrograms(3, server.url(port: proxy.port)) { programs in
          // The third is slow.
          let models = [WatcherModel(), WatcherModel(), WatcherModel(yields: 20)]
          try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            for (program, model) in zip(programs, models) {
              let updates = try await program.presenceUpdates(of: "room")
              group.addTask { try await model.follow(updates) }
            }
            // Each program has names of its own: what the last of several says of one name is not known here otherwise.
            var crowds = (0..<3).map { Crowd(seed: UInt64(11 + $0), members: 400, prefix: "\($0).") }
            for step in 0..<6_000 {
              if step % 700 == 650 {
                let before = programs.map(\.statistics.reconnects)
                await proxy.cut()
                try await wait(for: "reconnecting") {
                  zip(programs, before).allSatisfy { $0.statistics.reconnects > $1 && $0.statistics.isAvailable }
                }
              }
              try await crowds[step % 3].step(on: "room", of: programs[step % 3])
              guard step % 500 == 499 else { continue }
              let expected = crowds.reduce(into: Set()) { $0.formUnion($1.members) }
              try await wait(for: "agreement, step \(step)", within: .seconds(10)) {
                models.allSatisfy { $0.members == expected }
              }
              for program in programs {
                try await wait(for: "the same answer") { Set(try await program.presence(of: "room")) == expected }
              }
            }
            for index in crowds.indices { crowds[index].leave() }
            try await wait(for: "leaving") { models.allSatisfy(\.members.isEmpty) }
            #expect(models.flatMap(\.violations) == [])
          }
        }
      }
    }
  }

  /// Runs some backends at once, as so many programs.
  private func withPrograms(
    _ count: Int, _ url: String, _ body: ([RedisBroadcast]) async throws -> Void
  ) async throws {
    let programs = try (0..<count).map { _ in try RedisBroadcast(url) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      for program in programs { group.addTask { try await program.run() } }
      try await wait(for: "connections") { programs.allSatisfy(\.statistics.isAvailable) }
      try await body(programs)
    }
  }
}
