//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite("What a session with Redis leaves out", .timeLimit(.minutes(1)))
struct LeftOutTests {
  @Test("messages that are too large are told with their channel and a count", arguments: [true, false])
  func tooLarge(byPattern: Bool) async throws {
    try await ScriptedRedis.run { server in
      let events = Events()
      var configuration = RedisBroadcast.Configuration.quick(events)
      configuration.maximumMessageBytes = 1
      configuration.maximumReceivedBytes = 1
      try await withRedis(server.url, configuration) { broadcast in
        let subscription =
          try await byPattern
          ? broadcast.subscribe(to: ChannelPattern("*"), options: .init())
          : broadcast.subscribe(to: ["a", "b"], options: .init())
        let large = String(repeating: "x", count: 1_100_000)
        for channel in ["a", "a", "a", "b"] {
          await server.say(
            byPattern
              ? ScriptedRedis.list("pmessage", "*", channel, large) : ScriptedRedis.message(large, on: channel))
        }
        try await settle { events.count(.dropped) == 3 }
        let told = events.all.filter { $0.kind == .dropped }
        #expect(told.map(\.count) == [1, 2, 4])
        #expect(told.map(\.channel) == ["a", "a", "b"])
        #expect(told.allSatisfy { $0.pattern == (byPattern ? ChannelPattern("*") : nil) })
        #expect(told.allSatisfy { $0.error?.code == .messageTooLarge })
        withExtendedLifetime(subscription) {}
      }
    }
  }

  @Test("a name that no channel can have is told with its pattern and a count, and its neighbours arrive")
  func impossibleNames() async throws {
    try await ScriptedRedis.run { server in
      let events = Events()
      try await withRedis(server.url, .quick(events)) { broadcast in
        try await broadcast.withSubscription(to: ChannelPattern("*")) { subscription in
          let long = String(repeating: "x", count: 300)
          for text in ["1", "2", "3"] {
            await server.say(ScriptedRedis.list("pmessage", "*", long, "no"))
            await server.say(ScriptedRedis.list("pmessage", "*", "a", text))
          }
          let reader = TextReader(subscription)
          let texts = [try await reader.next(), try await reader.next(), try await reader.next()]
          #expect(texts == ["1", "2", "3"])
          let told = events.all.filter { $0.error?.code == .undecodable }
          #expect(told.map(\.count) == [1, 2])
          #expect(told.allSatisfy { $0.kind == .dropped && $0.pattern == ChannelPattern("*") })
        }
      }
    }
  }
}
