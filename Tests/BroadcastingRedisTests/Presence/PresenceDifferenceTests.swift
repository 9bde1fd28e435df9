//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingRedis

/// What holds where programs say different things of one member, or have different limits.
@Suite(
  "Programs that disagree on presence",
  .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"), .timeLimit(.minutes(2)))
struct PresenceDifferenceTests {
  private let key = "broadcast:presence:{room}"

  @Test("the last who enters says the info, also where that is what this program knows")
  func lastInfo() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url) { one in
        try await withRedis(server.url) { two in
          var entries = [try await one.enterPresence(on: "room", as: .init("ann", info: "1"))]
          entries.append(try await two.enterPresence(on: "room", as: .init("ann", info: "2")))
          #expect(try await one.presence(of: "room") == [.init("ann", info: "2")])
          entries.append(try await one.enterPresence(on: "room", as: .init("ann", info: "1")))
          #expect(try await two.presence(of: "room") == [.init("ann", info: "1")])
        }
      }
    }
  }

  @Test("a lost connection brings no earlier info back, and nothing is told")
  func infoThroughLoss() async throws {
    let events = [Events(), Events()]
    try await RedisServer.with { server in
      try await withRedis(server.url, .quick(events[0])) { one in
        try await withRedis(server.url, .quick(events[1])) { two in
          var entries = [try await one.enterPresence(on: "room", as: .init("ann", info: "1"))]
          entries.append(try await two.enterPresence(on: "room", as: .init("ann", info: "2")))
          entries.append(try await two.enterPresence(on: "room", as: .init("bob", info: "1")))
          let version = try await server.cli(["HGET", "\(key):state", "version"])
          for round in 1...3 {
            for type in ["pubsub", "normal"] { try await server.cli(["CLIENT", "KILL", "TYPE", type]) }
            try await settle { events.allSatisfy { $0.count(.presenceRefilled) >= round } }
          }
          #expect(try await server.cli(["HGET", "\(key):state", "version"]) == version)
          // One of the lines may only just be gone.
          let members = [PresenceMember("ann", info: "2"), .init("bob", info: "1")]
          try await settle { (try? await one.presence(of: "room")) == members }
          withExtendedLifetime(entries) {}
        }
      }
    }
  }

  @Test("more members than this program's limit are refused, and not cut off silently")
  func tooMany() async throws {
    let events = Events()
    var small = RedisBroadcast.Configuration.quick(events)
    small.hub.presence.maximumMembers = 300
    try await RedisServer.with { server in
      try await withRedis(server.url) { one in
        try await withRedis(server.url, small) { two in
          var entries: [PresenceEntry] = []
          for number in 0..<300 { entries.append(try await one.enterPresence(on: "room", as: .init("\(number)"))) }
          #expect(try await two.presence(of: "room").count == 300)
          entries.append(try await one.enterPresence(on: "room", as: .init("one more")))
          for call in [
            { _ = try await two.presence(of: "room") }, { _ = try await two.presenceUpdates(of: "room") },
          ] as [() async throws -> Void] {
            let error = await failure { try await call() }
            #expect(error?.code == .presenceFull && error?.message.contains("301 members") == true, "\(error as Any)")
          }
          entries.removeLast().leave()
          try await settle { try await one.presence(of: "room").count == 300 }
          #expect(try await two.presence(of: "room").count == 300)
          #expect(events.count(.connectionLost) == 0)
        }
      }
    }
  }
}
