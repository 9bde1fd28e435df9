//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingKafka

@Suite("Publishing to a cluster", .timeLimit(.minutes(1)))
struct PublishingTests {
  /// All records of a topic, once there are so many.
  private func records(_ count: Int, of topic: String, partitions: Int32 = 1, in kafka: MockKafka) async throws
    -> [Record]
  {
    try await kafka.withConsumer { consumer in
      let handle = try consumer.topic(topic, slot: 0)
      for partition in 0..<partitions { try consumer.start(handle, partition: partition, at: -2) }
      var records: [Record] = []
      try await settle {
        records += consumer.take().records
        return records.count >= count
      }
      return records
    }
  }

  @Test("a call returns when its messages lie in the topic, with the channel as their key")
  func publishes() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t", partitions: 3)
      try await PublishingRig.with(kafka) { rig in
        try await rig.publish("a", to: "t")
        try await rig.publish([Message("b", to: "t"), Message("c", to: "t", headers: [.init("h", "v")])])
        let records = try await records(3, of: "t", partitions: 3, in: kafka)
        #expect(records.map(\.text).sorted() == ["a", "b", "c"])
        #expect(records.allSatisfy { $0.key == "t" } && Set(records.map(\.partition)).count == 1)
        #expect(rig.told.heard > 0)
      }
    }
  }

  @Test("one call may go to several topics, and to one where that is for all channels")
  func severalChannels() async throws {
    try await MockKafka.with { kafka in
      for topic in ["a", "b", "all"] { kafka.create(topic) }
      let messages = [Message("1", to: "a"), Message("2", to: "b"), Message("3", to: "a")]
      try await PublishingRig.with(kafka) { rig in
        try await rig.publish(messages)
        #expect(try await records(2, of: "a", in: kafka).map(\.text) == ["1", "3"])
        #expect(try await records(1, of: "b", in: kafka).map(\.text) == ["2"])
      }
      try await PublishingRig.with(kafka, "topic=all") { rig in
        try await rig.publish(messages + [Message("4", to: "not a topic's name")])
        let records = try await records(4, of: "all", in: kafka)
        #expect(records.map(\.text) == ["1", "2", "3", "4"])
        #expect(records.map(\.key) == ["a", "b", "a", "not a topic's name"])
      }
    }
  }

  @Test("a thousand calls at a time keep the order of each publisher")
  func many() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka) { rig in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for publisher in 0..<100 {
            group.addTask { for number in 0..<20 { try await rig.publish("\(publisher) \(number)", to: "t") } }
          }
          try await group.waitForAll()
        }
        let texts = try await records(2_000, of: "t", in: kafka).map(\.text)
        for publisher in 0..<100 {
          #expect(
            texts.filter { $0.hasPrefix("\(publisher) ") } == (0..<20).map { "\(publisher) \($0)" })
        }
      }
    }
  }

  @Test("what the library has no room for waits until there is some, in its order")
  func noRoom() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka, "queue.buffering.max.messages=10") { rig in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for publisher in 0..<50 {
            group.addTask { try await rig.publish((0..<40).map { Message("\(publisher) \($0)", to: "t") }) }
          }
          try await group.waitForAll()
        }
        let texts = try await records(2_000, of: "t", in: kafka).map(\.text)
        for publisher in 0..<50 {
          #expect(texts.filter { $0.hasPrefix("\(publisher) ") } == (0..<40).map { "\(publisher) \($0)" })
        }
      }
    }
  }

  @Test("a channel that can't be a topic is refused, and what to do is named")
  func noTopic() async throws {
    try await MockKafka.with { kafka in
      try await PublishingRig.with(kafka) { rig in
        let error = await failure { try await rig.publish("a", to: "a room") }
        #expect(error?.code == .invalidChannel && error?.outcome == .notSent)
        #expect(error?.message.contains("?topic=NAME") == true)
      }
    }
  }

  @Test("nobody publishes among probes")
  func probeTopic() async throws {
    try await MockKafka.with { kafka in
      kafka.create("probes")
      try await PublishingRig.with(kafka, "probe.topic=probes") { rig in
        let error = await failure { try await rig.publish("7", to: "probes") }
        #expect(error?.code == .invalidChannel && error?.outcome == .notSent)
        #expect(error?.message.contains("probe.topic") == true)
      }
    }
  }

  @Test("a topic that is not there and is not to be made fails its messages alone")
  func missing() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      kafka.create("none")
      kafka.setError(.unknownTopicOrPartition, of: "none")
      try await PublishingRig.with(kafka, "create=false") { rig in
        let error = await failure { try await rig.publish("a", to: "none") }
        #expect(error?.code == .refused && error?.outcome == .notSent && error?.isRetriable == false)
        #expect(error?.message.contains("no topic \"none\"") == true)
        try await rig.publish("a", to: "t")
        kafka.setError(.none, of: "none")
        // What was refused just now is not asked for.
        try await settle { await failure { try await rig.publish("a", to: "none") } == nil }
      }
    }
  }

  @Test("a call that waited for its topic goes before those of later calls which wait for room")
  func order() async throws {
    try await MockKafka.with { kafka in
      for topic in ["full", "new"] { kafka.create(topic) }
      try await PublishingRig.with(kafka, "queue.buffering.max.messages=10") { rig in
        try await rig.publish("a", to: "full")
        kafka.delay(milliseconds: 200)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await rig.publish("first", to: "new") }
          try await settle { try await rig.waitingCalls() == 1 }
          group.addTask { try await rig.publish((0..<100).map { Message("\($0)", to: "full") }) }
          try await settle { try await rig.waitingCalls() == 2 }
          group.addTask { try await rig.publish("second", to: "new") }
          try await group.waitForAll()
        }
        kafka.delay(milliseconds: 0)
        #expect(try await records(2, of: "new", in: kafka).map(\.text) == ["first", "second"])
      }
    }
  }

  @Test("what a broker refuses fails with the reason, and that it was not sent")
  func refused() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka) { rig in
        kafka.fail(.produce, with: [.topicAuthorization])
        let error = await failure { try await rig.publish("a", to: "t") }
        #expect(error?.code == .refused && error?.outcome == .notSent && error?.isRetriable == false)
        #expect(error?.message.contains("Write to the topic \"t\"") == true)
        kafka.fail(.produce, with: [.messageTooLarge])
        let large = await failure { try await rig.publish("a", to: "t") }
        #expect(large?.code == .messageTooLarge && large?.message.contains("\"t\"") == true)
        try await rig.publish("b", to: "t")
        #expect(try await records(1, of: "t", in: kafka).map(\.text) == ["b"])
      }
    }
  }

  @Test(
    "leaders that move and replicas that lack are waited for", arguments: [KafkaCode.notLeader, .notEnoughReplicas])
  func passes(code: KafkaCode) async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka) { rig in
        try await rig.publish("a", to: "t")
        kafka.fail(.produce, with: [code, code])
        try await rig.publish("b", to: "t")
        #expect(try await records(2, of: "t", in: kafka).map(\.text) == ["a", "b"])
      }
    }
  }

  @Test("what no broker takes in time times out: not sent where it never left")
  func timesOut() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka, timeout: .seconds(2)) { rig in
        try await rig.publish("a", to: "t")
        kafka.takeDown()
        // What is no more than a millisecond younger than "a" may have been sent with it, for all that is known.
        let delivered = ContinuousClock.now
        try await settle {
          rig.told.failures.contains { $0.code == .allBrokersDown } && .now - delivered > .milliseconds(5)
        }
        let known = await failure { try await rig.publish("b", to: "t") }
        #expect(known?.isRetriable == true && known?.outcome == .notSent)
        let unknown = await failure { try await rig.publish("b", to: "other") }
        #expect(unknown?.code == .timedOut || unknown?.code == .unavailable)
        #expect(unknown?.outcome == .notSent)
        kafka.bringUp()
        try await settle { await failure { try await rig.publish("c", to: "t") } == nil }
        #expect(Set(try await records(2, of: "t", in: kafka).map(\.text)) == ["a", "c"])
      }
    }
  }

  @Test("what was sent and not answered in time is unconfirmed")
  func unconfirmed() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka, timeout: .seconds(2)) { rig in
        try await rig.publish("a", to: "t")
        kafka.delay(milliseconds: 10_000)
        let error = await failure { try await rig.publish("b", to: "t") }
        #expect(error?.code == .timedOut && error?.outcome == .unconfirmed && error?.isRetriable == true)
      }
    }
  }

  @Test("a call behind messages on their way is given to the library when they are answered")
  func waitsForAnswers() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka) { rig in
        try await rig.publish("first", to: "t")
        kafka.delay(milliseconds: 1_000)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await rig.publish((0..<8).map { Message("\($0)", to: "t") }) }
          try await settle { try await rig.hasSent() }
          group.addTask { try await rig.publish("behind", to: "t") }
          try await settle { try await rig.waitingCalls() == 2 }
          #expect(try await rig.unreported() == 8)
          kafka.delay(milliseconds: 0)
          try await group.waitForAll()
        }
        #expect(try await records(10, of: "t", in: kafka).last?.text == "behind")
      }
    }
  }

  @Test("the end ends all calls")
  func ends() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka) { rig in
        try await rig.publish("a", to: "t")
        kafka.delay(milliseconds: 10_000)
        async let sent = failure { try await rig.publish("b", to: "t") }
        async let asked = failure { try await rig.publish("b", to: "other") }
        try await settle { try await rig.waitingCalls() == 2 }
        try await rig.endOfCalls()
        #expect(await sent?.outcome == .unconfirmed)
        #expect(await asked?.outcome == .notSent)
      }
    }
  }

  @Test("a probe lies in the partition that it is for, and one that fails says so")
  func probe() async throws {
    try await MockKafka.with { kafka in
      kafka.create("probes", partitions: 4)
      try await PublishingRig.with(kafka) { rig in
        try await rig.probe(7, to: "probes", partition: 3)
        let record = try await records(1, of: "probes", partitions: 4, in: kafka).first
        #expect(record?.partition == 3 && record?.key == "key" && record?.text == "7")
        kafka.fail(.produce, with: [.topicAuthorization])
        try await rig.probe(8, to: "probes", partition: 3)
        try await settle { rig.told.refusedProbes[8]?.code == .topicAuthorization }
      }
    }
  }

  @Test("a topic for probes that is gone is asked for by one at a time, however often that is found out")
  func probeTopicGone() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka) { rig in
        try await rig.publish("a", to: "t")
        // Each question takes a second.
        kafka.takeDown()
        for _ in 0..<200 { try await rig.remakeProbeTopic() }
        await rig.untilAsked()
      }
    }
  }
}
