//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingKafka

@Suite("Consumers of librdkafka", .timeLimit(.minutes(1)))
struct ConsumerHandleTests {
  /// Publishes, and waits until the cluster has it.
  private func publish(_ messages: [Message], to name: String, _ kafka: MockKafka) async throws {
    try await kafka.withProducer { producer in
      let topic = try producer.topic(name)
      #expect(producer.produce(messages[...], to: topic, token: 1).taken == messages.count)
      var count = 0
      try await settle {
        count += producer.take().count { $0.code == .none }
        return count == messages.count
      }
    }
  }

  private func records(_ count: Int, _ consumer: ConsumerHandle) async throws -> [Record] {
    var records: [Record] = []
    try await settle {
      records += consumer.take().records
      return records.count >= count
    }
    return records
  }

  @Test("records come with key, value, headers and the topic's number")
  func contents() async throws {
    try await MockKafka.with { kafka in
      kafka.create("one")
      kafka.create("two")
      let headers: [Message.Header] = [.init("a", [0, 255]), .init("a", []), .init("é", "v")]
      try await publish([Message("", to: "room"), Message("hé", to: "room", headers: headers)], to: "one", kafka)
      try await publish([Message([0xff, 0], to: "two")], to: "two", kafka)
      try await kafka.withConsumer { consumer in
        try consumer.start(consumer.topic("one", slot: 0), partition: 0, at: 0)
        try consumer.start(consumer.topic("two", slot: 41), partition: 0, at: -2)
        let records = try await records(3, consumer)
        #expect(records.filter { $0.slot == 0 }.map(\.offset) == [0, 1])
        let first = try #require(records.first { $0.slot == 0 && $0.offset == 0 })
        #expect(first.key == "room" && first.value == [] && first.headers.isEmpty)
        let second = try #require(records.first { $0.slot == 0 && $0.offset == 1 })
        #expect(second.text == "hé" && second.headers == headers)
        let other = try #require(records.first { $0.slot == 41 })
        #expect(other.key == "two" && other.value == [0xff, 0] && other.partition == 0)
      }
    }
  }

  @Test("reading begins at the offset, in order, and the end is told")
  func offsets() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await publish((0..<1_000).map { Message("\($0)", to: "t") }, to: "t", kafka)
      try await kafka.withConsumer { consumer in
        try consumer.start(consumer.topic("t", slot: 3), partition: 0, at: 600)
        var records: [Record] = []
        var codes: [KafkaCode] = []
        try await settle {
          let new = consumer.take()
          records += new.records
          codes += new.codes
          return codes.contains(.endOfPartition)
        }
        #expect(records.map(\.text) == (600..<1_000).map(String.init))
        #expect(records.map(\.offset) == Array(600..<1_000))
      }
    }
  }

  @Test("an offset that a partition does not have is told")
  func outOfRange() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await publish([Message("a", to: "t")], to: "t", kafka)
      try await kafka.withConsumer { consumer in
        try consumer.start(consumer.topic("t", slot: 0), partition: 0, at: 500)
        var codes: [KafkaCode] = []
        try await settle {
          codes += consumer.take().codes
          return codes.contains(.autoOffsetReset)
        }
      }
    }
  }

  @Test("after a stop no more comes, and a new start goes where it is told")
  func stopping() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await publish([Message("a", to: "t"), Message("b", to: "t")], to: "t", kafka)
      try await kafka.withConsumer { consumer in
        let topic = try consumer.topic("t", slot: 0)
        try consumer.start(topic, partition: 0, at: 0)
        _ = try await records(2, consumer)
        await blocking { consumer.stop(topic, partition: 0) }
        try await publish([Message("c", to: "t")], to: "t", kafka)
        #expect(consumer.take().records.isEmpty)
        try consumer.start(topic, partition: 0, at: 1)
        #expect(try await records(2, consumer).map(\.text) == ["b", "c"])
      }
    }
  }

  @Test("a notice is written when something comes, once, and none after they are off")
  func notices() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      let pipe = try Pipe()
      pipe.makeNonBlocking()
      defer {
        pipe.closeReading()
        pipe.closeWriting()
      }
      try await kafka.withConsumer { consumer in
        consumer.handle.enableNotices(by: pipe.writing)
        try consumer.start(consumer.topic("t", slot: 0), partition: 0, at: 0)
        // The end of an empty partition is the first.
        try await settle { pipe.readAll() > 0 }
        _ = consumer.take()
        try await publish((0..<50).map { Message("\($0)", to: "t") }, to: "t", kafka)
        var notices = 0
        try await settle {
          notices += pipe.readAll()
          return notices > 0
        }
        #expect(notices == 1)
        consumer.handle.disableNotices()
        _ = try await records(50, consumer)
        try await publish([Message("a", to: "t")], to: "t", kafka)
        _ = try await records(1, consumer)
        #expect(pipe.readAll() == 0)
      }
    }
  }

  @Test("a name that is known keeps its topic")
  func sameTopic() async throws {
    try await MockKafka.with { kafka in
      try await kafka.withConsumer { consumer in
        _ = try consumer.topic("t", slot: 1)
        _ = try consumer.topic("t", slot: 1)
        await blocking { consumer.destroy() }
        #expect(throws: KafkaFailure.destroyed) { try consumer.topic("t", slot: 1) }
        #expect(consumer.take().records.isEmpty)
      }
    }
  }
}
