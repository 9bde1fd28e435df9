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
  "What a history knows of its server",
  .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"), .timeLimit(.minutes(1)))
struct HistoryEpochTests {
  private func comingBack(_ broadcast: RedisBroadcast, _ events: Events, after change: () async throws -> Void)
    async throws
  {
    let start = ContinuousClock.now
    try await change()
    try await settle { events.count(.connected, since: start) > 0 && broadcast.statistics.isAvailable }
  }

  @Test("a server that was killed begins a new epoch, and what it has kept can be read", arguments: [true, false])
  func killed(keepsData: Bool) async throws {
    var options = RedisServer.Options()
    options.keepsData = keepsData
    try await RedisServer.with(options) { server in
      let events = Events()
      try await withRedis(server.url, .keeping("*", .init(), events)) { broadcast in
        for number in 1...3 { try await broadcast.record("\(number)", to: "chat") }
        let old = try await broadcast.record("4", to: "chat")
        try await comingBack(broadcast, events) { try await server.restart() }

        let head = try await broadcast.driver.open("chat")
        if keepsData {
          #expect(head?.offset == 0)
          #expect(head.map { $0.epoch > old.epoch } == true)
          // Reading it again does not change it again.
          #expect(try await broadcast.page("chat", .live).head == head)
        } else {
          #expect(head.map { $0.epoch > old.epoch && $0.offset == 0 } == true)
        }
        let new = try await broadcast.record("5", to: "chat")
        #expect(new.epoch > old.epoch && new.offset == 1)
        #expect(try await broadcast.texts("chat") == (keepsData ? ["1", "2", "3", "4", "5"] : ["5"]))
        #expect(try await broadcast.texts("chat", .after(old)) == ["5"])
        #expect(try await broadcast.texts("chat", .last(3)) == (keepsData ? ["3", "4", "5"] : ["5"]))
      }
    }
  }

  @Test("where it is said that the server loses nothing, the epoch goes on")
  func outlives() async throws {
    var options = RedisServer.Options()
    options.keepsData = true
    try await RedisServer.with(options) { server in
      let events = Events()
      var configuration = RedisBroadcast.Configuration.keeping("*", .init(), events)
      configuration.historyOutlivesServer = true
      try await withRedis(server.url, configuration) { broadcast in
        let old = try await broadcast.record("1", to: "chat")
        try await comingBack(broadcast, events) { try await server.restart() }
        #expect(try await broadcast.driver.open("chat") == old)
        #expect(try await broadcast.record("2", to: "chat") == old.next)
      }
    }
  }

  @Test("a server that has no memory after a restart can be read and subscribed to, and records when it has some again")
  func withoutMemory() async throws {
    var options = RedisServer.Options()
    options.keepsData = true
    try await RedisServer.with(options) { server in
      let events = Events()
      try await withRedis(server.url, .keeping("*", .init(), events)) { broadcast in
        let old = try await broadcast.record("1", to: "chat")
        try await comingBack(broadcast, events) { try await server.restart() }
        try await server.cli(["CONFIG", "SET", "maxmemory", "1"])
        #expect(try await broadcast.texts("chat") == ["1"])
        let subscription = try await broadcast.subscribe(to: "chat", from: .last(5))
        #expect(subscription.recovery(of: "chat")?.messages == 1)
        try await server.cli(["CONFIG", "SET", "maxmemory", "0"])
        let new = try await broadcast.record("2", to: "chat")
        #expect(new.epoch > old.epoch && new.offset == 1)
        var texts: [String] = []
        for try await delivery in subscription {
          if case .message(let message) = delivery { texts.append(message.text ?? "") }
          if texts.count == 2 { break }
        }
        #expect(texts == ["1", "2"])
      }
    }
  }

  @Test("the newest of several epochs are counted over their borders")
  func lastOfSeveralEpochs() async throws {
    var options = RedisServer.Options()
    options.keepsData = true
    try await RedisServer.with(options) { server in
      let events = Events()
      try await withRedis(server.url, .keeping("*", .init(), events)) { broadcast in
        for number in 1...40 { try await broadcast.record("\(number)", to: "chat") }
        try await comingBack(broadcast, events) { try await server.restart() }
        for number in 41...44 { try await broadcast.record("\(number)", to: "chat") }
        for count in [1, 4, 5, 6, 15, 16, 17, 31, 32, 33, 43, 44, 50] {
          let expected = (max(1, 45 - count)...44).map(String.init)
          #expect(try await broadcast.texts("chat", .last(count)) == expected)
        }
      }
    }
  }

  @Test("programs that don't agree on that leave one another's histories alone")
  func disagreeing() async throws {
    try await RedisServer.with { server in
      var configuration = RedisBroadcast.Configuration.keeping("*")
      configuration.historyOutlivesServer = true
      try await withRedis(server.url, .keeping("*")) { one in
        try await withRedis(server.url, configuration) { other in
          for (first, second) in [(one, other), (other, one)] {
            let channel: Channel = first.driver === one.driver ? "a" : "b"
            _ = try await first.record("0", to: channel)
            // One that knows its run takes a log of which nobody knows it for another's, one time.
            var last = try await second.record("1", to: channel)
            for number in 2..<6 {
              let next = try await (number % 2 == 0 ? first : second).record("\(number)", to: channel)
              #expect(next == last.next)
              #expect(try await second.driver.open(channel) == next)
              #expect(try await first.driver.open(channel) == next)
              last = next
            }
            #expect(try await one.texts(channel) == (0..<6).map(String.init))
          }
        }
      }
    }
  }

  @Test("a log that was lost before its first message came is another one")
  func lostBeforeTheFirst() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*")) { broadcast in
        let head = try #require(try await broadcast.subscribe(to: "chat").recovery(of: "chat")?.head)
        let first = try await broadcast.subscribe(to: "chat", from: .after(head))
        #expect(first.recovery(of: "chat") == Recovery(head: head))
        first.cancel()
        for _ in 1...3 { try await broadcast.record("lost", to: "chat") }
        try await server.cli(["FLUSHALL"])
        try await broadcast.record("x", to: "chat")
        // Of a program that heard none of it.
        try await withRedis(server.url, .keeping("*")) { other in
          let subscription = try await other.subscribe(to: "chat", from: .after(head))
          #expect(subscription.recovery(of: "chat")?.isComplete == false)
          let reader = TextReader(subscription)
          #expect(try await reader.next() == "gap")
          #expect(try await reader.next() == "x")
        }
      }
    }
  }

  @Test("two programs that come back agree on the new epoch")
  func two() async throws {
    var options = RedisServer.Options()
    options.keepsData = true
    try await RedisServer.with(options) { server in
      let events = Events()
      let others = Events()
      try await withRedis(server.url, .keeping("*", .init(), events)) { one in
        try await withRedis(server.url, .keeping("*", .init(), others)) { two in
          let old = try await one.record("1", to: "chat")
          try await comingBack(one, events) { try await comingBack(two, others) { try await server.restart() } }
          let first = try await one.record("2", to: "chat")
          let second = try await two.record("3", to: "chat")
          #expect(first.epoch > old.epoch && second == first.next)
          #expect(try await two.driver.open("chat") == second)
        }
      }
    }
  }

  @Test("a line that was cut changes nothing")
  func cut() async throws {
    try await RedisServer.with { server in
      let events = Events()
      try await withRedis(server.url, .keeping("*", .init(), events)) { broadcast in
        let old = try await broadcast.record("1", to: "chat")
        try await comingBack(broadcast, events) { try await server.cli(["CLIENT", "KILL", "TYPE", "normal"]) }
        #expect(try await broadcast.record("2", to: "chat") == old.next)
      }
    }
  }

  @Test("a server that was emptied under a standing connection begins a new epoch")
  func flushed() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*")) { broadcast in
        var deliveries = try await broadcast.subscribe(to: ["chat"]).makeAsyncIterator()
        let old = try await broadcast.record("1", to: "chat")
        try await server.cli(["FLUSHALL"])
        #expect(try await broadcast.page("chat", .after(old)).head == .beginning)
        let new = try await broadcast.record("2", to: "chat")
        #expect(new.epoch > old.epoch && new.offset == 1)
        #expect(try await take(2, &deliveries).map(\.position) == [old, new])
        #expect(try await broadcast.texts("chat", .after(old)) == ["2"])
      }
    }
  }

  @Test("scripts that the server has lost are there again, and nobody is told")
  func scriptFlush() async throws {
    try await RedisServer.with { server in
      let events = Events()
      try await withRedis(server.url, .keeping("*", .init(maximumMessages: 1_000), events)) { broadcast in
        for _ in 0..<5 {
          try await server.cli(["SCRIPT", "FLUSH"])
          try await broadcast.record("x", to: "chat")
          try await server.cli(["SCRIPT", "FLUSH"])
          _ = try await broadcast.page("chat", .last(1))
        }
        // So that the loss below is the only one that a call can meet.
        try await broadcast.record("x", to: "chat")
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<20 {
            group.addTask { for _ in 0..<10 { try await broadcast.record("y", to: "chat") } }
            group.addTask { for _ in 0..<10 { _ = try await broadcast.page("chat", .last(3)) } }
          }
          // Not more often than a caller tries: twice in a row is told.
          group.addTask { try await server.cli(["SCRIPT", "FLUSH"]) }
          try await group.waitForAll()
        }
        #expect(try await broadcast.all("chat").count == 206)
        #expect(events.count(.connectionLost) == 0)
      }
    }
  }

  @Test("databases have histories of their own, and hear each other's messages without a position")
  func databases() async throws {
    try await RedisServer.with { server in
      try await withRedis(server.url, .keeping("*")) { zero in
        try await withRedis(server.url + "/1", .keeping("*")) { one in
          var heardZero = try await zero.subscribe(to: ["chat"]).makeAsyncIterator()
          var heardOne = try await one.subscribe(to: ["chat"]).makeAsyncIterator()
          let first = try await zero.record("0", to: "chat")
          let second = try await one.record("1", to: "chat")
          #expect(second.offset == 1)
          #expect(try await take(2, &heardZero).map(\.position) == [first, nil])
          #expect(try await take(2, &heardOne).map(\.position) == [nil, second])
          #expect(try await zero.texts("chat") == ["0"])
          #expect(try await one.texts("chat") == ["1"])
        }
      }
    }
  }
}
