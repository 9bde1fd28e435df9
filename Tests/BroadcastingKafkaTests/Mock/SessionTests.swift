//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingKafka

@Suite("A session with a cluster", .timeLimit(.minutes(1)))
struct SessionTests {
  @Test("what is published arrives, by topics and by keys", arguments: ["", "topic=all"])
  func arrives(options: String) async throws {
    try await MockKafka.with { kafka in
      kafka.createProbeTopic()
      for topic in ["all", "a", "b"] { kafka.create(topic, partitions: 3) }
      try await withBroadcast(kafka.broadcast(options)) { broadcast in
        try await broadcast.withSubscription(to: "a") { messages in
          var arrived = messages.messages(onGap: .throw).makeAsyncIterator()
          for number in 0..<100 {
            try await broadcast.publish(Message("\(number)", to: "a", headers: [.init("n", "\(number)")]))
            try await broadcast.publish(Message("not this", to: "b"))
            let message = try #require(try await arrived.next())
            #expect(message.text == "\(number)" && message.headers == [.init("n", "\(number)")])
          }
        }
      }
    }
  }

  @Test("a lost line suspends it, and it goes on where it was, without a gap", arguments: ["", "topic=t"])
  func suspends(options: String) async throws {
    try await MockKafka.with { kafka in
      kafka.createProbeTopic()
      kafka.create("t")
      let events = Events()
      try await withBroadcast(kafka.broadcast(options, events)) { broadcast in
        try await broadcast.withSubscription(to: "t") { messages in
          var arrived = messages.messages(onGap: .throw).makeAsyncIterator()
          for round in 1...3 {
            try await broadcast.publish("before \(round)", to: "t")
            #expect(try await arrived.next()?.text == "before \(round)")
            kafka.takeDown()
            try await settle { events.count(.connectionLost) == round }
            #expect(await failure { try await broadcast.publish("refused", to: "t") }?.outcome == .notSent)
            kafka.bringUp()
            try await settle { events.count(.connected) == round + 1 }
            try await broadcast.publish("after \(round)", to: "t")
            #expect(try await arrived.next()?.text == "after \(round)")
          }
        }
        #expect(broadcast.statistics.reconnects == 3)
        #expect(events.count(.resubscribed) == 0 && events.count(.dropped) == 0)
      }
    }
  }

  @Test("where nobody answers, run() fails with what the library says")
  func nobody() async throws {
    try await MockKafka.with { kafka in
      kafka.takeDown()
      var configuration = KafkaBroadcast.Configuration()
      configuration.hub.connectPatience = .milliseconds(1)
      let broadcast = try KafkaBroadcast("kafka://\(kafka.servers)", configuration: configuration)
      let error = await failure { try await broadcast.run() }
      #expect(error?.code == .unavailable && error?.isRetriable == true)
      #expect(error?.message.contains(kafka.servers) == true)
    }
  }

  @Test("a topic for probes that is not there and not to be made ends it, and is named")
  func noProbeTopic() async throws {
    try await MockKafka.with { kafka in
      kafka.createProbeTopic()
      kafka.setError(.topicAuthorization, of: "__broadcast.probes")
      let error = await failure { try await kafka.broadcast().run() }
      #expect(error?.code == .refused && error?.message.contains("\"__broadcast.probes\"") == true)
    }
  }

  @Test("a producer that breaks is replaced, and the session stays")
  func fatal() async throws {
    try await MockKafka.with { kafka in
      kafka.createProbeTopic()
      kafka.create("t")
      let events = Events()
      try await withBroadcast(kafka.broadcast("", events)) { broadcast in
        try await broadcast.withSubscription(to: "t") { messages in
          var arrived = messages.messages(onGap: .throw).makeAsyncIterator()
          try await broadcast.publish("a", to: "t")
          kafka.fail(.produce, with: [.outOfOrderSequence])
          // It may be a probe that it befalls.
          _ = await failure { try await broadcast.publish("b", to: "t") }
          try await broadcast.publish("c", to: "t")
          var texts: [String?] = []
          while texts.last != "c" { texts.append(try await arrived.next()?.text) }
          #expect(texts.filter { $0 != "b" } == ["a", "c"])
        }
        #expect(events.count(.connectionLost) == 0)
      }
    }
  }
}
