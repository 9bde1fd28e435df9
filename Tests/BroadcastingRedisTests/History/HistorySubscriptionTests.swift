//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite(
  "Subscriptions that begin in the past, on a real Redis server",
  .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"), .timeLimit(.minutes(1)))
struct HistorySubscriptionTests {
  @Test("the past comes first, then what is published, and a history is what was published")
  func starts() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("chat", .init(maximumMessages: 1_000))) { broadcast in
        var positions: [MessagePosition] = []
        for number in 0..<500 { positions.append(try await broadcast.record("\(number)", to: "chat")) }
        for (start, first) in [
          (SubscriptionStart.last(3), 497), (.after(positions[99]), 100), (.after(.beginning), 0),
        ] {
          let subscription = try await broadcast.subscribe(to: "chat", from: start)
          #expect(subscription.recovered)
          positions.append(try await broadcast.record("live", to: "chat"))
          var deliveries = subscription.makeAsyncIterator()
          let heard = try await take(positions.count - first, &deliveries)
          #expect(heard.map(\.position) == Array(positions[first...]))
        }
        let history = try await broadcast.history(of: "chat", from: .last(4), limit: 10)
        #expect(history.messages.map(\.text) == ["499", "live", "live", "live"])
        #expect(history.head == positions.last && history.isComplete)
      }
    }
  }

  @Test(
    "what was missed while the connection was cut is read, and there is no gap",
    arguments: ["SUBSCRIBE", "EVALSHA", "PUBLISH"])
  func cut(saying words: String) async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("chat", .init(maximumMessages: 5_000))) { writer in
        let events = Events()
        try await FaultyProxy.with(to: server.port) { proxy in
          try await withRedis(server.url(port: proxy.port), .keeping("chat", .init(maximumMessages: 5_000), events)) {
            reader in
            let options = SubscriptionOptions(buffer: .dropOldest(maximumMessages: 10_000, maximumBytes: 1 << 24))
            var deliveries = try await reader.subscribe(to: ["chat"], options: options).makeAsyncIterator()
            for number in 0..<1_000 {
              if number % 250 == 100 { _ = await proxy.cut(saying: words) }
              try await writer.record("\(number)", to: "chat")
            }
            let heard = try await take(1_000, &deliveries)
            #expect(heard.map(\.text) == (0..<1_000).map { "\($0)" })
            try await settle { events.count(.connectionLost) > 0 }
          }
        }
      }
    }
  }
}
