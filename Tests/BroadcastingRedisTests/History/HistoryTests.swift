//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite(
  "Histories on a real Redis server",
  .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"), .timeLimit(.minutes(1)))
struct HistoryTests {
  @Test("receipts, live messages and pages have the same positions, also with messages of others between them")
  func positions() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("chat")) { broadcast in
        let subscription = try await broadcast.subscribe(to: ["chat", "plain"])
        var deliveries = subscription.makeAsyncIterator()
        let first = try await broadcast.record("same", to: "chat")
        #expect(first.offset == 1)
        #expect(first.epoch > 1_000_000_000_000_000 && first.epoch < 1 << 53)
        try await server.cli(["PUBLISH", "chat", "same"])
        let second = try await broadcast.record("same", to: "chat")
        #expect(second == first.next)
        let receipts = try await broadcast.publish([
          Message("a", to: "chat"), Message("b", to: "plain"), Message("c", to: "chat"), Message("d", to: "plain"),
        ])
        #expect(receipts.map(\.position) == [second.next, nil, second.next.next, nil])

        var heard: [Message] = []
        for message in try await take(7, &deliveries) where message.channel == "chat" { heard.append(message) }
        #expect(heard.map(\.text) == ["same", "same", "same", "a", "c"])
        #expect(heard.map(\.position) == [first, nil, second, second.next, second.next.next])
        #expect(try await broadcast.all("chat") == heard.filter { $0.position != nil })
      }
    }
  }

  @Test("a thousand messages at once, of two programs, are in one order, for whoever listens and for whoever reads")
  func order() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*", .init(maximumMessages: 10_000))) { one in
        try await withRedis(server.url, .keeping("*", .init(maximumMessages: 10_000))) { two in
          let options = SubscriptionOptions(buffer: .dropOldest(maximumMessages: 10_000, maximumBytes: 1 << 24))
          var deliveries = try await two.subscribe(to: ["chat"], options: options).makeAsyncIterator()
          let positions = try await withThrowingTaskGroup(of: [MessagePosition].self) { group in
            for (name, broadcast) in [("one", one), ("two", two)] {
              for task in 0..<5 {
                group.addTask {
                  var positions: [MessagePosition] = []
                  for number in 0..<100 {
                    positions.append(try await broadcast.record("\(name) \(task) \(number)", to: "chat"))
                  }
                  return positions
                }
              }
            }
            return try await group.reduce(into: []) { $0 += $1 }
          }
          #expect(Set(positions.map(\.offset)) == Set(1...1_000))
          #expect(Set(positions.map(\.epoch)).count == 1)
          let heard = try await take(1_000, &deliveries)
          #expect(heard.compactMap(\.position?.offset) == Array(1...1_000))
          #expect(try await one.all("chat") == heard)
        }
      }
    }
  }

  @Test("text, bytes, nothing, much, headers and what looks like an envelope are kept as they are")
  func payloads() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("{a} b%*", .init(maximumBytes: 8 << 20))) { broadcast in
        let channel: Channel = "{a} b%x"
        let messages = [
          Message("é\r\n\"", to: channel), Message("", to: channel), Message(Array(UInt8.min ... .max), to: channel),
          Message(Array("text".utf8), to: channel), Message([], to: channel),
          Message("\u{2}bc1r", to: channel), Message("x", to: channel, headers: [.init("name", [0, 255])]),
          Message(String(repeating: "0123456789abcdef", count: 65_536), to: channel), Message("end", to: channel),
        ]
        var deliveries = try await broadcast.subscribe(to: [channel]).makeAsyncIterator()
        let receipts = try await broadcast.publish(messages)
        let expected = zip(messages, receipts).map {
          Message(copying: $0, at: $1.position)
        }
        #expect(try await take(messages.count, &deliveries) == expected)
        #expect(try await broadcast.all(channel) == expected)
      }
    }
  }

  @Test("a page begins where it is asked to, ends at its limits, and says whether that is the head")
  func pages() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*", .init(maximumMessages: 500))) { broadcast in
        #expect(try await broadcast.page("chat", .live).head == .beginning)
        #expect(try await broadcast.page("chat", .after(.beginning)).reachesHead)
        let receipts = try await broadcast.publish((1...300).map { Message("\($0)", to: "chat") })
        let positions = receipts.compactMap(\.position)
        let head = try #require(positions.last)

        let all = try await broadcast.page("chat", .after(.beginning), messages: .max)
        #expect(all.head == head && !all.reachesHead)
        #expect(all.messages.map(\.text) == (1...256).map { "\($0)" })
        #expect(all.ages.count == 256 && all.ages.allSatisfy { $0 >= .zero && $0 < .seconds(60) })
        let rest = try await broadcast.page("chat", .after(positions[255]))
        #expect(rest.reachesHead && rest.messages.map(\.text) == (257...300).map { "\($0)" })

        let live = try await broadcast.page("chat", .live)
        #expect(live.head == head && live.messages.isEmpty && live.reachesHead)
        #expect(try await broadcast.page("chat", .last(0)).messages.isEmpty)
        #expect(try await broadcast.texts("chat", .last(3)) == ["298", "299", "300"])
        #expect(try await broadcast.page("chat", .last(3), messages: 2).messages.map(\.text) == ["298", "299"])
        #expect(try await broadcast.texts("chat", .last(.max)).count == 300)
        #expect(try await broadcast.page("chat", .after(head)).messages.isEmpty)
        // One is given however large it is.
        let one = try await broadcast.page("chat", .last(10), bytes: 1)
        #expect(!one.reachesHead && one.messages.map(\.text) == ["291"])
        #expect(try await broadcast.page("chat", .last(10), bytes: 9).messages.map(\.text) == ["291", "292", "293"])

        // Positions of a log that this one does not know: all there is.
        for position in [
          MessagePosition(epoch: head.epoch, offset: 301), .init(epoch: head.epoch + 1, offset: 1),
          .init(epoch: 1, offset: 7), .init(epoch: 5, offset: .max), .init(epoch: .max, offset: .max),
        ] {
          #expect(try await broadcast.texts("chat", .after(position)).count == 300, "\(position)")
        }
      }
    }
  }

  @Test("large messages come page by page too")
  func largePages() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*", .init(maximumBytes: 1 << 25))) { broadcast in
        let texts = (0..<20).map { "\($0) " + String(repeating: "x", count: $0 % 3 == 0 ? 900_000 : 5) }
        try await broadcast.publish(texts.map { Message($0, to: "chat") })
        #expect(try await broadcast.texts("chat") == texts)
      }
    }
  }

  @Test("opening a channel tells its head, and what is published behind that arrives")
  func opening() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("chat")) { broadcast in
        #expect(try await broadcast.driver.open("plain") == nil)
        // A look begins nothing.
        #expect(try await broadcast.page("chat", .live).head == .beginning)
        #expect(try await broadcast.history(of: "chat").head == nil)
        #expect(try await server.cli(["KEYS", "broadcast:*chat*"]) == "")
        let beginning = try #require(try await broadcast.driver.open("chat"))
        #expect(beginning.epoch > 0 && beginning.offset == 0)
        #expect(try await broadcast.driver.open("chat") == beginning)
        #expect(try await server.cli(["KEYS", "broadcast:*chat*"]) == "broadcast:log:{chat}")
        #expect(Int(try await server.cli(["PTTL", "broadcast:log:{chat}"])).map { $0 > 0 } == true)
        try await broadcast.driver.unsubscribe(from: "chat")
        let head = try await broadcast.record("x", to: "chat")
        #expect(head == beginning.next)
        #expect(try await broadcast.driver.open("chat") == head)
        #expect(try await server.cli(["PUBSUB", "CHANNELS", "__broadcast.at.*"]).contains("broadcast:history:{chat}"))
        try await broadcast.driver.unsubscribe(from: "chat")
        #expect(try await server.cli(["PUBSUB", "CHANNELS", "__broadcast.at.*"]) == "")
        let error = await failure { try await broadcast.driver.history(of: "plain", HistoryQuery(.live)) }
        #expect(error?.code == .unsupportedHistory)
      }
    }
  }

  @Test("without histories there is no third connection, and a cluster or a user without rights will do")
  func none() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url) { broadcast in
        #expect(!broadcast.capabilities.hasHistory)
        #expect(try await broadcast.publish("x", to: "chat").position == nil)
        #expect(try await broadcast.driver.open("chat") == nil)
        let error = await failure { try await broadcast.driver.history(of: "chat", HistoryQuery(.live)) }
        #expect(error?.code == .unsupportedHistory)
        let stats = try await server.cli(["INFO", "commandstats"])
        for command in ["info", "script", "evalsha"] {
          // The one INFO is that of this test.
          #expect(!stats.contains("cmdstat_\(command):") && !stats.contains("cmdstat_\(command)|"), "\(command)")
        }
      }
    }
  }
}

extension Message {
  init(copying message: Message, at position: MessagePosition?) {
    self =
      message.text.map { Message($0, to: message.channel, headers: message.headers, position: position) }
      ?? Message(message.payload, to: message.channel, headers: message.headers, position: position)
  }
}
