//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

/// What subscribers are told whose history ends, or goes on elsewhere.
@Suite(
  "Histories on a Redis that loses them", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(2)))
struct LostHistoryTests {
  private static let channel: Channel = "chat"
  private static let restarted = Heard.gap(.historyRestarted, missed: nil)

  private func publish(_ numbers: Range<Int>, of broadcast: any Broadcast) async throws -> [MessagePosition] {
    try await Broker.publish(numbers, to: Self.channel, of: broadcast)
  }

  /// Who comes back with a position gets these, and is told that they are not all.
  private func expectLoss(
    after position: MessagePosition, _ expected: [Heard], _ broadcast: any Broadcast,
    _ location: SourceLocation = #_sourceLocation
  ) async throws {
    let subscription = try await broadcast.subscribe(to: Self.channel, from: .after(position))
    #expect(!subscription.recovered, sourceLocation: location)
    let messages = subscription.recovery(of: Self.channel)?.messages
    #expect(messages == expected.count { $0.isNumber }, sourceLocation: location)
    _ = try await broadcast.publish("1000000", to: Self.channel)
    var deliveries = subscription.makeAsyncIterator()
    #expect(try await deliveries.heard(until: 1_000_000) == expected + [.number(1_000_000)], sourceLocation: location)
  }

  @Test(
    "a server that was killed: readers get a gap and what there is, with its data and without",
    arguments: [true, false])
  func killed(keepsData: Bool) async throws {
    let broker = keepsData ? Broker.redisWithData : .redisHistory
    try await broker.withServer { server in
      let events = Events()
      try await withBroadcast(try broker.open(server.url(port: server.port), events)) { broadcast in
        var reader = try await broadcast.subscribe(to: Self.channel).makeAsyncIterator()
        let old = try await publish(0..<30, of: broadcast)
        #expect(try await reader.heard(until: 29) == Heard.numbers(0..<30))

        let start = ContinuousClock.now
        try await server.kill()
        try await server.start()
        try await settle { events.count(.resubscribed, since: start) > 0 && broadcast.statistics.isAvailable }
        let new = try await publish(30..<40, of: broadcast)
        #expect(new[0].epoch > old[0].epoch && new.map(\.offset) == Array(1...10))
        #expect(try await reader.heard(until: 39) == [Self.restarted] + Heard.numbers(30..<40))

        let kept = keepsData ? Heard.numbers(20..<30) : []
        try await expectLoss(after: old[19], kept + [Self.restarted] + Heard.numbers(30..<40), broadcast)
        #expect(try await broadcast.subscribe(to: Self.channel, from: .after(new[0])).recovered)
      }
    }
  }

  @Test("a server that is emptied while a reader listens costs it nothing, and who comes back is told")
  func flushed() async throws {
    let broker = Broker.redisHistory
    try await broker.withServer { server in
      let redis = try #require(server as? RedisServer)
      try await withBroadcast(try broker.open(redis.url, Events())) { broadcast in
        var reader = try await broadcast.subscribe(to: Self.channel).makeAsyncIterator()
        let old = try await publish(0..<10, of: broadcast)
        try await redis.cli(["FLUSHALL"])
        let new = try await publish(10..<20, of: broadcast)
        #expect(new[0].epoch > old[0].epoch && new[0].offset == 1)
        #expect(try await reader.heard(until: 19) == Heard.numbers(0..<20))
        // Of those there is nothing more, and nobody can know how many there were.
        try await expectLoss(after: old[4], [Self.restarted] + Heard.numbers(10..<20), broadcast)
      }
    }
  }

  @Test("a server that is emptied while a reader is away: a gap, and what there is", arguments: [0, 5])
  func flushedMeanwhile(messages: Int) async throws {
    let broker = Broker.redisHistory
    try await broker.withProxy { server, proxy in
      let redis = try #require(server as? RedisServer)
      let events = Events()
      try await withBroadcast(try broker.open(redis.url, Events())) { writer in
        try await withBroadcast(try broker.open(redis.url(port: proxy.port), events)) { broadcast in
          var reader = try await broadcast.subscribe(to: Self.channel).makeAsyncIterator()
          let old = try await publish(0..<10, of: writer)
          #expect(try await reader.heard(until: 9) == Heard.numbers(0..<10))
          let start = ContinuousClock.now
          await proxy.refuse()
          await proxy.cut()
          _ = try await publish(10..<15, of: writer)
          try await redis.cli(["FLUSHALL"])
          _ = try await publish(15..<15 + messages, of: writer)
          try await proxy.listenAgain()
          try await settle { events.count(.resubscribed, since: start) > 0 && broadcast.statistics.isAvailable }
          _ = try await publish(15 + messages..<30, of: writer)
          #expect(try await reader.heard(until: 29) == [Self.restarted] + Heard.numbers(15..<30))
          try await expectLoss(after: old[9], [Self.restarted] + Heard.numbers(15..<30), broadcast)
        }
      }
    }
  }

  /// As a server does that is short of memory.
  @Test(
    "one of the two keys that is evicted costs who listens nothing, and who comes back is told",
    arguments: [true, false])
  func evicted(isLog: Bool) async throws {
    let broker = Broker.redisHistory
    try await broker.withServer { server in
      let redis = try #require(server as? RedisServer)
      try await withBroadcast(try broker.open(redis.url, Events())) { broadcast in
        var reader = try await broadcast.subscribe(to: Self.channel).makeAsyncIterator()
        let old = try await publish(0..<10, of: broadcast)
        #expect(try await redis.cli(["DEL", isLog ? "broadcast:log:{chat}" : "broadcast:history:{chat}"]) == "1")
        let new = try await publish(10..<20, of: broadcast)
        #expect(isLog ? new[0].epoch > old[9].epoch : new[0] == old[9].next)
        #expect(try await reader.heard(until: 19) == Heard.numbers(0..<20))
        // By a program that has heard nothing of all this.
        try await withBroadcast(try broker.open(redis.url, Events())) { other in
          let gap = isLog ? Self.restarted : .gap(.historyTrimmed, missed: 5)
          try await expectLoss(after: old[4], [gap] + Heard.numbers(10..<20), other)
        }
      }
    }
  }

  @Test(
    "a replica that takes the place of its primary is another epoch, also where it lacks the end", arguments: [0, 10])
  func promoted(lost: Int) async throws {
    let broker = Broker.redisHistory
    try await RedisServer.with { primary in
      var options = RedisServer.Options()
      options.settings = ["replicaof": "127.0.0.1 \(primary.port)"]
      try await RedisServer.with(options) { replica in
        try await FaultyProxy.with(to: primary.port) { proxy in
          let events = Events()
          try await withBroadcast(try broker.open(primary.url(port: proxy.port), events)) { broadcast in
            var reader = try await broadcast.subscribe(to: Self.channel).makeAsyncIterator()
            try await settle { try await replica.cli(["INFO", "replication"]).contains("master_link_status:up") }
            let old = try await publish(0..<100, of: broadcast)
            try await settle { try await replica.cli(["XLEN", "broadcast:history:{chat}"]) == "100" }
            // What comes from now on is on the primary alone.
            try await replica.cli(["REPLICAOF", "NO", "ONE"])
            if lost > 0 { _ = try await publish(100..<100 + lost, of: broadcast) }
            #expect(try await reader.heard(until: 99 + lost) == Heard.numbers(0..<100 + lost))

            let start = ContinuousClock.now
            await proxy.lead(to: replica.port)
            await proxy.cut()
            try await primary.kill()
            try await settle { events.count(.resubscribed, since: start) > 0 && broadcast.statistics.isAvailable }
            let new = try await publish(200..<220, of: broadcast)
            #expect(new[0].epoch > old[0].epoch && new[0].offset == 1)
            #expect(try await reader.heard(until: 219) == [Self.restarted] + Heard.numbers(200..<220))
            try await expectLoss(
              after: old[89], Heard.numbers(90..<100) + [Self.restarted] + Heard.numbers(200..<220), broadcast)
          }
        }
      }
    }
  }

  @Test("what the limits took while a reader was away is counted exactly", arguments: [0, 1, 80])
  func trimmed(missed: Int) async throws {
    let broker = Broker.redisHistory(of: 20)
    try await broker.withProxy { server, proxy in
      let events = Events()
      try await withBroadcast(try broker.open(server.url(port: server.port), Events())) { writer in
        try await withBroadcast(try broker.open(server.url(port: proxy.port), events)) { broadcast in
          var reader = try await broadcast.subscribe(to: Self.channel).makeAsyncIterator()
          let old = try await publish(0..<10, of: writer)
          #expect(try await reader.heard(until: 9) == Heard.numbers(0..<10))
          let start = ContinuousClock.now
          await proxy.refuse()
          await proxy.cut()
          let end = 30 + missed
          _ = try await publish(10..<end, of: writer)
          try await proxy.listenAgain()
          try await settle { events.count(.resubscribed, since: start) > 0 && broadcast.statistics.isAvailable }
          let gap = missed > 0 ? [Heard.gap(.historyTrimmed, missed: missed)] : []
          #expect(try await reader.heard(until: end - 1) == gap + Heard.numbers(10 + missed..<end))
          _ = try await publish(end..<end + 1, of: writer)
          #expect(try await reader.heard(until: end) == [.number(end)])
          let rest = Heard.numbers(end - 19..<end + 1)
          try await expectLoss(after: old[4], [.gap(.historyTrimmed, missed: end - 24)] + rest, broadcast)
        }
      }
    }
  }
}
