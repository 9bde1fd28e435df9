//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingKafka

@Suite("Producers of librdkafka", .timeLimit(.minutes(1)))
struct ProducerHandleTests {
  @Test("each message has a report with its token")
  func reports() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t", partitions: 3)
      try await kafka.withProducer { producer in
        let topic = try producer.topic("t")
        for token in 1...500 {
          let messages = [Message("a", to: "t"), Message([0xff], to: "t", headers: [.init("h", "v")])]
          let (taken, failure) = producer.produce(messages[...], to: topic, token: UInt64(token))
          #expect(taken == 2 && failure == nil)
        }
        var reports: [DeliveryReport] = []
        try await settle {
          reports += producer.take()
          return reports.count >= 1_000
        }
        #expect(reports.allSatisfy { $0.code == .none && $0.status == .persisted })
        #expect(Dictionary(grouping: reports, by: \.token).allSatisfy { $1.count == 2 })
        #expect(Set(reports.map(\.token)) == Set(1...500))
      }
    }
  }

  @Test("what a broker refuses for good was not persisted, and says why")
  func refusal() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await kafka.withProducer { producer in
        kafka.fail(.produce, with: [.topicAuthorization])
        _ = producer.produce([Message("a", to: "t")][...], to: try producer.topic("t"), token: 7)
        var reports: [DeliveryReport] = []
        try await settle {
          reports += producer.take()
          return !reports.isEmpty
        }
        #expect(reports.map(\.token) == [7] && reports[0].topic == "t")
        #expect(reports[0].code == .topicAuthorization && reports[0].status == .notPersisted)
      }
    }
  }

  @Test("a message that is too large is not taken, and those behind it neither")
  func tooLarge() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await kafka.withProducer { producer in
        let large = Message([UInt8](repeating: 0x61, count: 2_000_000), to: "t")
        let messages = [Message("a", to: "t"), large, Message("b", to: "t")]
        let (taken, failure) = producer.produce(messages[...], to: try producer.topic("t"), token: 1)
        #expect(taken == 1 && failure?.code == .messageTooLarge)
        let withHeaders = Message(large.payload, to: "t", headers: [.init("h", "v")])
        let (none, other) = producer.produce([withHeaders][...], to: try producer.topic("t"), token: 2)
        #expect(none == 0 && other?.code == .messageTooLarge)
      }
    }
  }

  @Test("what is purged has a report too")
  func purge() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await kafka.withProducer { producer in
        kafka.takeDown()
        let messages = (0..<10).map { Message("\($0)", to: "t") }
        #expect(producer.produce(messages[...], to: try producer.topic("t"), token: 3).taken == 10)
        producer.purge()
        var reports: [DeliveryReport] = []
        try await settle {
          reports += producer.take()
          return reports.count >= 10
        }
        #expect(reports.allSatisfy { $0.code == .purgedInQueue && $0.status == .notPersisted })
      }
    }
  }

  @Test("what a leader refused that leads no more may lie in the topic, as it may have been written before")
  func formerLeader() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await kafka.withProducer { producer in
        kafka.fail(.produce, with: [KafkaCode](repeating: .notLeader, count: 1_000))
        _ = producer.produce([Message("a", to: "t")][...], to: try producer.topic("t"), token: 7)
        var reports: [DeliveryReport] = []
        try await settle {
          reports += producer.take()
          return !reports.isEmpty
        }
        #expect(reports[0].code == .messageTimedOut && reports[0].status == .possiblyPersisted)
      }
    }
  }

  @Test("what timed out before it was sent does not lie in the topic")
  func neverSent() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await kafka.withProducer { producer in
        let topic = try producer.topic("t")
        var reports: [DeliveryReport] = []
        for (token, isDown) in [(UInt64(1), false), (2, true)] {
          if isDown {
            kafka.takeDown()
            // What it writes before it knows may have arrived; and so may, for all that is known, what is a millisecond younger
            // than what did.
            let delivered = ContinuousClock.now
            var isAware = false
            try await settle {
              _ = producer.take()
              isAware = isAware || producer.handle.nextFailure() != nil
              return isAware && .now - delivered > .milliseconds(5)
            }
          }
          _ = producer.produce([Message("a", to: "t")][...], to: topic, token: token)
          try await settle {
            reports += producer.take()
            return reports.last?.token == token
          }
        }
        #expect(reports[1].code == .messageTimedOut && reports[1].status == .notPersisted)
      }
    }
  }

  @Test("messages that went together are refused together, and that is told")
  func together() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await kafka.withProducer("linger.ms=500") { producer in
        let topic = try producer.topic("t")
        for count in [1, 3] {
          kafka.fail(.produce, with: [.messageTooLarge])
          let messages = (0..<count).map { Message("\($0)", to: "t") }
          _ = producer.produce(messages[...], to: topic, token: UInt64(count))
          var reports: [DeliveryReport] = []
          try await settle {
            reports += producer.take()
            return reports.count == count
          }
          #expect(reports.allSatisfy { $0.code == .messageTooLarge && $0.isOneOfMany == (count > 1) })
        }
      }
    }
  }

  @Test("that no broker can be reached is told")
  func brokersDown() async throws {
    try await MockKafka.with { kafka in
      try await kafka.withProducer { producer in
        kafka.takeDown()
        var codes: Set<KafkaCode> = []
        try await settle {
          _ = producer.take()
          while let failure = producer.handle.nextFailure() { codes.insert(failure.code) }
          return codes.contains(.allBrokersDown)
        }
        #expect(codes.contains(.transport))
      }
    }
  }

  @Test("after its end a handle takes nothing, and a second end does nothing")
  func ended() async throws {
    try await MockKafka.with { kafka in
      try await kafka.withProducer { producer in
        let topic = try producer.topic("t")
        await blocking { producer.destroy() }
        let (taken, failure) = producer.produce([Message("a", to: "t")][...], to: topic, token: 1)
        #expect(taken == 0 && failure == .destroyed)
        #expect(throws: KafkaFailure.destroyed) { try producer.topic("t") }
        #expect(producer.take().isEmpty)
        producer.purge()
      }
    }
  }

  @Test("what librdkafka cannot use is refused with its words")
  func unusable() async throws {
    let url = try KafkaURL(BackendURL("kafka://127.0.0.1/?ssl.ca.location=/nowhere.pem&security.protocol=ssl"))
    let properties = try KafkaProperties(url, KafkaBroadcast.Configuration())
    for _ in 0..<3 {
      let failure = await blocking {
        do throws(KafkaFailure) {
          try ProducerHandle(properties).destroy()
          return nil as KafkaFailure?
        } catch {
          return error
        }
      }
      #expect(failure?.code == .invalidArgument && failure?.text.contains("ssl.ca.location") == true)
    }
    // Others can be made all the same.
    try await MockKafka.with { kafka in try await kafka.withProducer { _ in } }
  }
}
