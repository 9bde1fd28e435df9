//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite(
  "Presence on Redis", .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"),
  .timeLimit(.minutes(2)))
struct PresenceTests {
  @Test("a member of two programs joins once, leaves with the last, and has the last info")
  func twoPrograms() async throws {
    try await withTwo { _, one, two in
      #expect(one.capabilities.hasPresence)
      let updates = try await two.presenceUpdates(of: "room")
      let first = try await one.enterPresence(on: "room", as: .init("ann", info: [0, 13, 10, 255]))
      #expect(try await two.presence(of: "room") == [.init("ann", info: [0, 13, 10, 255])])
      let second = try await two.enterPresence(on: "room", as: .init("ann", info: "2"))
      let other = try await one.enterPresence(on: "room", as: .init("bob \n", info: "b o b"))
      #expect(try await one.presence(of: "room") == [.init("ann", info: "2"), .init("bob \n", info: "b o b")])
      first.leave()
      second.leave()
      other.leave()
      var iterator = updates.makeAsyncIterator()
      var seen: [PresenceUpdate] = []
      while seen.count < 6, let update = try await iterator.next() { seen.append(update) }
      #expect(
        seen.prefix(4) == [
          .present([]), .joined(.init("ann", info: [0, 13, 10, 255])), .changed(.init("ann", info: "2")),
          .joined(.init("bob \n", info: "b o b")),
        ])
      #expect(Set(seen.suffix(2)) == [.left(.init("ann", info: "2")), .left(.init("bob \n", info: "b o b"))])
      try await settle { try await one.presence(of: "room").isEmpty }
    }
  }

  @Test("names and channels are bytes, also with what names of keys are made of")
  func bytes() async throws {
    try await withTwo { server, one, two in
      let channels = ["a", "a}", "{a}", "%7D", "caf\u{E9}", "cafe\u{301}", "a b\n"].map { Channel($0) }
      var entries: [PresenceEntry] = []
      for (number, channel) in channels.enumerated() {
        entries.append(try await one.enterPresence(on: channel, as: .init("caf\u{E9}", info: "\(number)")))
        entries.append(try await one.enterPresence(on: channel, as: .init("cafe\u{301}", info: "\(number)")))
      }
      for (number, channel) in channels.enumerated() {
        let members = try await two.presence(of: channel)
        #expect(members == [.init("cafe\u{301}", info: "\(number)"), .init("caf\u{E9}", info: "\(number)")])
      }
      let known = try await server.cli(["HGETALL", "broadcast:presence:{a}"])
      #expect(known.split(separator: "\n").count == 4)
      withExtendedLifetime(entries) {}
    }
  }

  @Test("the limit of members holds for all programs together")
  func limit() async throws {
    try await withTwo({ $0.hub.presence.maximumMembers = 3 }) { _, one, two in
      var entries = [
        try await one.enterPresence(on: "room", as: .init("1")),
        try await two.enterPresence(on: "room", as: .init("2")),
        try await one.enterPresence(on: "room", as: .init("3")),
      ]
      let full = await failure { try await two.enterPresence(on: "room", as: .init("4")) }
      #expect(full?.code == .presenceFull && full?.isRetriable == true)
      entries.append(try await two.enterPresence(on: "room", as: .init("1")))
      #expect(two.statistics.presenceMembers == 2)
      entries.remove(at: 2).leave()
      try await settle { try await two.presence(of: "room").count == 2 }
      entries.append(try await two.enterPresence(on: "room", as: .init("4")))
      #expect(try await one.presence(of: "room").map(\.name) == ["1", "2", "4"])
    }
  }

  @Test("the members of a program that ends leave at once")
  func gracefulEnd() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url) { witness in
        let updates = try await witness.presenceUpdates(of: "room")
        var iterator = updates.makeAsyncIterator()
        #expect(try await iterator.next() == .present([]))
        var entries: [PresenceEntry] = []
        try await withRedis(server.url) { one in
          for number in 0..<1_000 {
            let channel = Channel(number % 2 == 0 ? "room" : "other \(number % 100)")
            entries.append(try await one.enterPresence(on: channel, as: .init("\(number)")))
          }
        }
        let end = ContinuousClock.now
        for _ in 0..<1_000 { _ = try await iterator.next() }
        // Leases last longer.
        #expect(ContinuousClock.now - end < .seconds(10))
        #expect(try await witness.presence(of: "room") == [])
        #expect(try await server.cli(["KEYS", "broadcast:presence:*}"]) == "")
        withExtendedLifetime(entries) {}
      }
    }
  }

  @Test("the members of a program whose server answers slowly leave at once too when it ends")
  func slowEnd() async throws {
    try await RedisServer.with { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        try await withRedis(server.url) { witness in
          var iterator = try await witness.presenceUpdates(of: "room").makeAsyncIterator()
          #expect(try await iterator.next() == .present([]))
          var entries: [PresenceEntry] = []
          try await withRedis(server.url(port: proxy.port)) { far in
            entries.append(try await far.enterPresence(on: "room", as: .init("far")))
            #expect(try await iterator.next() == .joined(.init("far")))
            // Each way.
            await proxy.setLatency(.milliseconds(700))
          }
          let end = ContinuousClock.now
          #expect(try await iterator.next() == .left(.init("far")))
          // Leases last longer.
          #expect(ContinuousClock.now - end < .seconds(8))
          withExtendedLifetime(entries) {}
        }
      }
    }
  }

  @Test("a program that only looks takes out the dead before the first look")
  func newcomer() async throws {
    try await RedisServer.with { server in
      // As a program leaves it that died a minute ago.
      let key = "broadcast:presence:{room}"
      try await server.cli(["HSET", key, "dead", "info"])
      try await server.cli(["HSET", "\(key):held", "dead", "1"])
      try await server.cli(["ZADD", "\(key):leases", "1000", "0123"])
      try await server.cli(["HSET", "\(key):by:0123", "dead", "1"])
      try await withRedis(server.url) { one in
        #expect(try await one.presence(of: "room") == [])
        try await server.cli(["HSET", key, "dead", "info"])
        try await server.cli(["HSET", "\(key):held", "dead", "1"])
        try await server.cli(["ZADD", "\(key):leases", "1000", "0123"])
        try await server.cli(["HSET", "\(key):by:0123", "dead", "1"])
        var iterator = try await one.presenceUpdates(of: "room").makeAsyncIterator()
        #expect(try await iterator.next() == .present([]))
      }
    }
  }

  @Test("10,000 members are read at once")
  func many() async throws {
    try await withTwo { _, one, two in
      var entries: [PresenceEntry] = []
      try await withThrowingTaskGroup(of: PresenceEntry.self) { group in
        for number in 0..<10_000 {
          group.addTask { try await one.enterPresence(on: "room", as: .init("member \(number)", info: "\(number)")) }
        }
        for try await entry in group { entries.append(entry) }
      }
      #expect(try await two.presence(of: "room").count == 10_000)
      var iterator = try await two.presenceUpdates(of: "room").makeAsyncIterator()
      guard case .present(let members)? = try await iterator.next() else { throw CancellationError() }
      #expect(Set(members).count == 10_000)
    }
  }

  @Test("who uses no presence needs no rights for it, and who lacks them is told which")
  func rights() async throws {
    let commands = "+subscribe +psubscribe +unsubscribe +punsubscribe +publish"
    var options = RedisServer.Options()
    options.users = [
      "plain on >word resetchannels &__broadcast.* &room \(commands)",
      "full on >word resetchannels &__broadcast.* &room ~broadcast:* \(commands) \(RedisError.presenceRights)",
    ]
    try await RedisServer.with(options) { server in
      try await withRedis("redis://plain:word@\(server.address)") { one in
        try await one.publish("x", to: "room")
        let error = await failure { try await one.enterPresence(on: "room", as: .init("a")) }
        #expect(error?.code == .refused && error?.isRetriable == false)
        #expect(error?.message.contains(RedisError.presenceRights) == true, "\(error?.message ?? "")")
        #expect(await failure { try await one.presence(of: "room") }?.code == .refused)
        #expect(await failure { try await one.presenceUpdates(of: "room") }?.code == .refused)
        try await settle { one.statistics.presenceMembers == 0 && one.statistics.presenceWatched == 0 }
      }
      try await withRedis("redis://full:word@\(server.address)") { one in
        let updates = try await one.presenceUpdates(of: "room")
        let entry = try await one.enterPresence(on: "room", as: .init("a", info: "1"))
        let again = try await one.enterPresence(on: "room", as: .init("a", info: "2"))
        #expect(try await one.presence(of: "room").count == 1)
        entry.leave()
        again.leave()
        var iterator = updates.makeAsyncIterator()
        for _ in 0..<4 { _ = try await iterator.next() }
        #expect(try await one.presence(of: "room").count == 0)
        // The dead, those known to be and those of whom a part is lost.
        let key = "broadcast:presence:{room}"
        let here = try await one.enterPresence(on: "room", as: .init("here"))
        for isKnown in [true, false] {
          try await server.cli(["HSET", key, "dead", "info"])
          try await server.cli(["HSET", "\(key):held", "dead", "1"])
          try await server.cli(["ZADD", "\(key):leases", "1000", "0123"])
          if isKnown { try await server.cli(["HSET", "\(key):by:0123", "dead", "1"]) }
          try await settle { try await server.cli(["HKEYS", key]) == "here" }
        }
        withExtendedLifetime(here) {}
      }
    }
  }

  private func withTwo(
    _ change: (inout RedisBroadcast.Configuration) -> Void = { _ in },
    _ body: (RedisServer, RedisBroadcast, RedisBroadcast) async throws -> Void
  ) async throws {
    var configuration = RedisBroadcast.Configuration.quick()
    change(&configuration)
    try await RedisServer.with { server in
      try await withRedis(server.url, configuration) { one in
        try await withRedis(server.url, configuration) { two in try await body(server, one, two) }
      }
    }
  }
}
