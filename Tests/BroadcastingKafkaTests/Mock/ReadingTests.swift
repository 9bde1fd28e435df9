//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingKafka

@Suite("Reading from a cluster", .timeLimit(.minutes(1)))
struct ReadingTests {
  /// - Parameters:
  ///   - options: behind the question mark of the URL.
  ///   - timeout: of subscriptions; by default long enough for a machine that is busy elsewhere.
  private func with<T>(
    _ options: String = "", _ kafka: MockKafka, _ events: Events = Events(), timeout: Duration = .seconds(20),
    _ body: (KafkaBroadcast) async throws -> T
  ) async throws -> T {
    kafka.create("__broadcast.probes", partitions: 4)
    var configuration = KafkaBroadcast.Configuration { events.append($0) }
    configuration.hub.longestReconnectDelay = .milliseconds(100)
    configuration.publishTimeout = .seconds(20)
    configuration.subscribeTimeout = timeout
    let url = "kafka://\(kafka.servers)/?fetch.wait.max.ms=5&\(options)"
    return try await withBroadcast(KafkaBroadcast(url, configuration: configuration), body)
  }

  /// What a subscription brings, up to a message with this text.
  private func read(_ subscription: Subscription, upTo last: String) async throws -> [Delivery] {
    var iterator = subscription.makeAsyncIterator()
    return try await read(&iterator, upTo: last)
  }

  private func read(_ iterator: inout Subscription.AsyncIterator, upTo last: String) async throws -> [Delivery] {
    var deliveries: [Delivery] = []
    while let delivery = try await iterator.next() {
      deliveries.append(delivery)
      if case .message(let message) = delivery, message.text == last { break }
    }
    return deliveries
  }

  private func texts(_ deliveries: [Delivery]) -> [String] {
    deliveries.map { delivery in
      switch delivery {
      case .message(let message): message.text ?? "binary"
      case .gap: "gap"
      }
    }
  }

  @Test("what is published after a subscription arrives, and nothing from before", arguments: ["", "topic=all"])
  func subscribing(options: String) async throws {
    try await MockKafka.with { kafka in
      kafka.create("room", partitions: 3)
      kafka.create("all", partitions: 3)
      try await with(options, kafka) { broadcast in
        for number in 0..<50 { try await broadcast.publish("before \(number)", to: "room") }
        let subscription = try await broadcast.subscribe(to: "room")
        let messages = (0..<500).map { Message("\($0)", to: "room") }
        try await broadcast.publish(messages)
        #expect(texts(try await read(subscription, upTo: "499")) == messages.map { $0.text ?? "" })
      }
    }
  }

  @Test("a later subscriber gets nothing from before it", arguments: ["", "topic=all"])
  func laterSubscriber(options: String) async throws {
    try await MockKafka.with { kafka in
      for topic in ["room", "other", "all"] { kafka.create(topic, partitions: 2) }
      try await with(options, kafka) { broadcast in
        let early = try await broadcast.subscribe(to: "room")
        for round in 0..<10 {
          try await broadcast.publish([Message("before \(round)", to: "room"), Message("before", to: "other")])
          // The same channel by a fence, another one by a cut where both share a topic.
          let same = try await broadcast.subscribe(to: "room")
          let other = try await broadcast.subscribe(to: "other")
          try await broadcast.publish([Message("after \(round)", to: "room"), Message("after", to: "other")])
          #expect(texts(try await read(same, upTo: "after \(round)")) == ["after \(round)"])
          #expect(texts(try await read(other, upTo: "after")) == ["after"])
        }
        let all = texts(try await read(early, upTo: "after 9"))
        #expect(all == (0..<10).flatMap { ["before \($0)", "after \($0)"] })
      }
    }
  }

  @Test("many channels at once, again and again", arguments: ["", "topic=all"])
  func manyChannels(options: String) async throws {
    try await MockKafka.with { kafka in
      let channels = (0..<300).map { Channel("c\($0)") }
      kafka.create("all", partitions: 2)
      for channel in channels { kafka.create(channel.name) }
      try await with(options, kafka) { broadcast in
        for round in 0..<3 {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for channel in channels {
              group.addTask {
                let subscription = try await broadcast.subscribe(to: channel)
                try await broadcast.publish("\(round)", to: channel)
                for try await delivery in subscription {
                  #expect(delivery == .message(Message("\(round)", to: channel)))
                  break
                }
              }
            }
            try await group.waitForAll()
          }
        }
      }
    }
  }

  @Test("contents arrive as they were", arguments: ["", "topic=all"])
  func contents(options: String) async throws {
    try await MockKafka.with { kafka in
      kafka.create("room")
      kafka.create("all")
      try await with(options, kafka) { broadcast in
        let subscription = try await broadcast.subscribe(to: "room")
        let messages = [
          Message("", to: "room"), Message([], to: "room"), Message([0xff, 0], to: "room"),
          Message("hé", to: "room", headers: [.init("a", [0]), .init("a", []), .init("é \0", "v")]),
          Message("last", to: "room"),
        ]
        try await broadcast.publish(messages)
        #expect(try await read(subscription, upTo: "last") == messages.map { .message($0) })
      }
    }
  }

  @Test("records that name no channel are left out and told once; those of nobody are left out alone")
  func leftOut() async throws {
    try await MockKafka.with { kafka in
      kafka.create("all")
      let events = Events()
      try await with("topic=all", kafka, events) { broadcast in
        let subscription = try await broadcast.subscribe(to: "room")
        try await kafka.withProducer { producer in
          let topic = try producer.topic("all")
          let messages = ["", "nobody", ""].map { Message("x", to: Channel($0)) } + [Message("end", to: "room")]
          #expect(producer.produce(messages[...], to: topic, token: 1).taken == 4)
          try await settle {
            _ = producer.take()
            return events.count(.dropped) > 0
          }
          #expect(texts(try await read(subscription, upTo: "end")) == ["end"])
        }
        #expect(events.count(.dropped) == 1)
      }
    }
  }

  @Test("a broker that says that an offset is out of range, and is wrong, costs nothing", arguments: ["", "topic=all"])
  func wronglyOutOfRange(options: String) async throws {
    try await MockKafka.with { kafka in
      kafka.create("room")
      kafka.create("all")
      try await with(options, kafka) { broadcast in
        var iterator = try await broadcast.subscribe(to: "room").makeAsyncIterator()
        var all: [String] = []
        for round in 0..<5 {
          try await broadcast.publish("\(round)", to: "room")
          all += texts(try await read(&iterator, upTo: "\(round)"))
          kafka.fail(.fetch, with: [.offsetOutOfRange])
        }
        #expect(all == (0..<5).map(String.init))
      }
    }
  }

  @Test(
    "a partition that can't be read is told, and goes on behind what it has, with a gap", arguments: ["", "topic=all"])
  func unreadable(options: String) async throws {
    try await MockKafka.with { kafka in
      kafka.create("room")
      kafka.create("all")
      let events = Events()
      try await with(options, kafka, events) { broadcast in
        let subscription = try await broadcast.subscribe(to: "room")
        kafka.fail(.fetch, with: Array(repeating: .messageTooLarge, count: 1_000))
        let words = "the topic \"\(options.isEmpty ? "room" : "all")\" can't be read"
        try await settle { events.all.contains { $0.error?.message.contains(words) == true } }
        kafka.clearFailures(of: .fetch)
        try await withThrowingTaskGroup(of: Void.self) { group in
          // Some of these may be among what is left out.
          group.addTask {
            while !Task.isCancelled {
              _ = try? await broadcast.publish("after", to: "room")
              // How often it publishes. Nothing waits for its end.
              try? await Task.sleep(for: .milliseconds(20))
            }
          }
          let all = texts(try await read(subscription, upTo: "after"))
          #expect(all.first == "gap" && all.dropFirst().dropLast().allSatisfy { $0 == "gap" })
          group.cancelAll()
        }
      }
    }
  }

  @Test("a connection that has read too many topics refuses more, and begins anew when few of them are read")
  func manyTopics() async throws {
    try await MockKafka.with { kafka in
      kafka.create("__broadcast.probes", partitions: 4)
      let names = (0..<4).map { Channel("t\($0)") }
      for name in names { kafka.create(name.name) }
      let events = Events()
      var configuration = KafkaBroadcast.Configuration { events.append($0) }
      configuration.subscribeTimeout = .seconds(20)
      configuration.maximumTopics = 4
      let url = "kafka://\(kafka.servers)/?fetch.wait.max.ms=5"
      try await withBroadcast(KafkaBroadcast(url, configuration: configuration)) { broadcast in
        try await broadcast.withSubscription(to: names[0]) { _ in
          // The topic for probes is one of those that are read.
          try await broadcast.withSubscription(to: names[1]) { _ in
            try await broadcast.withSubscription(to: names[2]) { _ in
              let error = await failure { try await broadcast.subscribe(to: names[3]) }
              #expect(error?.isRetriable == true && error?.message.contains("?topic=NAME") == true)
            }
          }
          #expect(events.count(.connectionLost) == 0)
          try await settle {
            broadcast.statistics.channels == 1
          }
          _ = await failure { try await broadcast.subscribe(to: names[3]) }
          try await settle { events.count(.connected) > 1 }
          _ = try await broadcast.subscribe(to: names[3])
        }
      }
    }
  }

  @Test("while the line is away nothing is lost, and it goes on without a gap", arguments: ["", "topic=all"])
  func lineLost(options: String) async throws {
    try await MockKafka.with { kafka in
      kafka.create("room", partitions: 2)
      kafka.create("all", partitions: 2)
      let events = Events()
      try await with(options, kafka, events) { broadcast in
        let subscription = try await broadcast.subscribe(to: "room")
        try await broadcast.publish((0..<100).map { Message("\($0)", to: "room") })
        kafka.takeDown()
        try await settle { events.count(.connectionLost) > 0 }
        kafka.bringUp()
        try await settle { events.count(.connected) > 1 }
        try await broadcast.publish((100..<200).map { Message("\($0)", to: "room") })
        #expect(texts(try await read(subscription, upTo: "199")) == (0..<200).map(String.init))
      }
    }
  }

  @Test(
    "a topic that vanishes is asked for again, and its subscribers are told of a gap", arguments: ["", "topic=all"])
  func vanished(options: String) async throws {
    try await MockKafka.with { kafka in
      let topic = options.isEmpty ? "room" : "all"
      kafka.create(topic)
      let events = Events()
      try await with("\(options)&create=false", kafka, events) { broadcast in
        let subscription = try await broadcast.subscribe(to: "room")
        kafka.setError(.unknownTopicOrPartition, of: topic)
        try await settle { events.count(.connectionLost) > 0 }
        kafka.setError(.none, of: topic)
        try await settle { events.count(.resubscribed) > 0 }
        try await broadcast.publish("a", to: "room")
        // A look that had begun before the topic was back may find it missing once more.
        let seen = texts(try await read(subscription, upTo: "a"))
        #expect(seen.first == "gap" && seen.drop { $0 == "gap" } == ["a"])
      }
    }
  }

  @Test("a topic without a leader is waited for, and others go on meanwhile")
  func leaderless() async throws {
    try await MockKafka.with { kafka in
      kafka.create("room", partitions: 2)
      kafka.create("other")
      kafka.setLeader(-1, of: "room", partition: 1)
      try await with("", kafka) { broadcast in
        async let late = broadcast.subscribe(to: "room")
        for round in 0..<3 {
          let other = try await broadcast.subscribe(to: "other")
          try await broadcast.publish("\(round)", to: "other")
          #expect(texts(try await read(other, upTo: "\(round)")) == ["\(round)"])
        }
        kafka.setLeader(1, of: "room", partition: 1)
        let subscription = try await late
        try await broadcast.publish("a", to: "room")
        #expect(texts(try await read(subscription, upTo: "a")) == ["a"])
      }
    }
  }

  @Test("a topic that gets no leader is refused in the end, with an error that may pass")
  func noLeader() async throws {
    try await MockKafka.with { kafka in
      kafka.create("room", partitions: 2)
      kafka.setLeader(-1, of: "room", partition: 1)
      try await with("", kafka, timeout: .seconds(1)) { broadcast in
        let error = try #require(await failure { try await broadcast.subscribe(to: "room") })
        #expect(error.isRetriable && error.message.contains("?topic=NAME"))
      }
    }
  }

  @Test("a subscription to what can be no topic is refused")
  func refusals() async throws {
    try await MockKafka.with { kafka in
      try await with("probe.topic=probes", kafka) { broadcast in
        #expect(await failure { try await broadcast.subscribe(to: "a room") }?.code == .invalidChannel)
        #expect(await failure { try await broadcast.subscribe(to: "probes") }?.code == .invalidChannel)
      }
    }
  }
}
