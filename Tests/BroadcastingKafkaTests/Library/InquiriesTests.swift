//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingKafka

@Suite("Questions to a cluster", .timeLimit(.minutes(1)))
struct InquiriesTests {
  private static var soon: ContinuousClock.Instant { .now + .seconds(20) }

  @Test("a topic's partitions are counted, one that is not there is told", arguments: [1, 20])
  func topics(count: Int) async throws {
    try await MockKafka.with { kafka in
      let names = (0..<count).map { "t\($0)" }
      for name in names { kafka.create(name, partitions: 5) }
      // The mock makes whatever is asked for.
      kafka.create("none")
      kafka.setError(.unknownTopicOrPartition, of: "none")
      try await kafka.withProducer { producer in
        let answers = await blocking { Inquiries(producer, nil).topics(names + ["none"], until: Self.soon) }
        #expect(answers.count == count + 1)
        for name in names { #expect(answers[name] == .success(5)) }
        guard case .failure(let failure) = try #require(answers["none"]) else {
          Issue.record("there is a topic that is not there")
          return
        }
        #expect(failure.code.meansUnknownTopic)
      }
    }
  }

  @Test("the ends are behind what was published, the bounds begin at the first")
  func offsets() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t", partitions: 3)
      kafka.create("empty", partitions: 2)
      try await kafka.withProducer { producer in
        let messages = (0..<90).map { Message("\($0)", to: Channel("\($0)")) }
        #expect(producer.produce(messages[...], to: try producer.topic("t"), token: 1).taken == 90)
        var count = 0
        try await settle {
          count += producer.take().count
          return count == 90
        }
        let ends = await blocking { Inquiries(producer, nil).ends(["t": 3, "empty": 2], until: Self.soon) }
        let end = try #require(ends["t"]).get()
        #expect(end.count == 3 && end.reduce(0, +) == 90)
        #expect(ends["empty"] == .success([0, 0]))
        let bounds = await blocking { Inquiries(producer, nil).bounds(["t": 3], until: Self.soon) }
        #expect(bounds["t"] == .success(end.map { 0..<$0 }))
      }
    }
  }

  @Test("an answer of who leads no more is asked for again")
  func leaderMoved() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      kafka.fail(.offsets, with: [.notLeader, .notLeader, .leaderNotAvailable])
      try await kafka.withProducer { producer in
        let ends = await blocking { Inquiries(producer, nil).ends(["t": 1], until: Self.soon) }
        #expect(ends["t"] == .success([0]))
      }
    }
  }

  @Test("one topic that fails fails alone")
  func oneFails() async throws {
    try await MockKafka.with { kafka in
      let names = (0..<20).map { "t\($0)" }
      for name in names { kafka.create(name) }
      try await kafka.withProducer { producer in
        // A partition that the topic does not have.
        var partitions = Dictionary(uniqueKeysWithValues: names.map { ($0, 1) })
        partitions["t7"] = 2
        let asked = partitions
        let ends = await blocking { Inquiries(producer, nil).ends(asked, until: Self.soon) }
        for name in names where name != "t7" { #expect(ends[name] == .success([0])) }
        guard case .failure = try #require(ends["t7"]) else {
          Issue.record("there is an end of a partition that is not there")
          return
        }
      }
    }
  }

  @Test("a partition without a leader is waited for, until it has one")
  func leaders() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t", partitions: 2)
      kafka.setLeader(-1, of: "t", partition: 1)
      try await kafka.withProducer { producer in
        // A machine that is busy elsewhere may not get to ask at all in a short time.
        var late: Result<Int, KafkaFailure>?
        for patience in [200, 2_000, 10_000] {
          late = await blocking {
            Inquiries(producer, nil).ready(["t"], creating: nil, until: .now + .milliseconds(patience))["t"]
          }
          if case .failure(let failure) = late, !failure.code.meansTimedOut { break }
        }
        #expect(late == .failure(KafkaFailure(.leaderNotAvailable)))
        async let answer = blocking { Inquiries(producer, nil).ready(["t"], creating: nil, until: Self.soon) }
        kafka.setLeader(1, of: "t", partition: 1)
        #expect(await answer["t"] == .success(2))
      }
    }
  }

  @Test("a topic without a leader holds up none beside it")
  func besideLeaderless() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      kafka.create("none")
      kafka.setLeader(-1, of: "none", partition: 0)
      try await kafka.withProducer { producer in
        let answers = await blocking {
          Inquiries(producer, nil).ready(
            ["none", "t"], creating: nil, returningEarly: true, until: .now + .seconds(600))
        }
        #expect(answers == ["t": .success(1), "none": .failure(KafkaFailure(.leaderNotAvailable))])
        let ends = await blocking {
          Inquiries(producer, nil).ends(["none": 1, "t": 1], until: .now + .seconds(600))
        }
        #expect(ends["t"] == .success([0]))
      }
    }
  }

  @Test("one leader is enough to publish")
  func servedInPart() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t", partitions: 2)
      kafka.setLeader(-1, of: "t", partition: 1)
      try await kafka.withProducer { producer in
        let answers = await blocking {
          Inquiries(producer, nil).ready(["t"], creating: nil, ifServedInPart: true, until: .now + .seconds(600))
        }
        #expect(answers == ["t": .success(2)])
      }
    }
  }

  @Test("on a slow line the ends are told all the same")
  func slow() async throws {
    try await MockKafka.with { kafka in
      for number in 0..<8 { kafka.create("t\(number)") }
      try await kafka.withProducer { producer in
        let inquiry = TopicInquiry(
          names: Set((0..<8).map { "t\($0)" }), newTopics: NewTopics(), patience: .milliseconds(500),
          deadlineOfCreation: .now + .seconds(50))
        _ = await blocking { inquiry.ask(Inquiries(producer, nil)) }
        kafka.delay(milliseconds: 400)
        // A machine that is busy elsewhere adds to it.
        try await settle {
          let answer = await blocking { inquiry.ask(Inquiries(producer, nil)) }
          return answer.ends.count == 8 && answer.ends.values.allSatisfy { $0 == .success([0]) }
        }
      }
    }
  }

  @Test("a topic that can't be made fails with the reason, beside one that is there")
  func creating() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      kafka.create("none")
      kafka.setError(.unknownTopicOrPartition, of: "none")
      try await kafka.withProducer { producer in
        let answers = await blocking {
          Inquiries(producer, nil).ready(
            ["t", "none"], creating: NewTopics(partitions: 2), until: .now + .milliseconds(500))
        }
        #expect(answers["t"] == .success(1))
        guard case .failure(let failure) = try #require(answers["none"]) else {
          Issue.record("the mock makes no topics")
          return
        }
        // The mock does not know the request, so nobody answers.
        #expect(failure.code == .timedOut)
      }
    }
  }

  @Test("the consumer tells of the topics that it knows")
  func known() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t", partitions: 4)
      kafka.create("other")
      try await kafka.withProducer { producer in
        try await kafka.withConsumer { consumer in
          _ = try consumer.topic("t", slot: 0)
          let known = await blocking { Inquiries(producer, consumer).known(until: Self.soon) }
          #expect(try known.get() == ["t": .success(4)])
        }
      }
    }
  }

  @Test("nothing is answered within its time when no broker is there")
  func nobody() async throws {
    try await MockKafka.with { kafka in
      kafka.takeDown()
      try await kafka.withProducer { producer in
        let answers = await blocking {
          Inquiries(producer, nil).ready(["t"], creating: NewTopics(), until: .now + .milliseconds(300))
        }
        guard case .failure(let failure) = try #require(answers["t"]) else {
          Issue.record("there is an answer")
          return
        }
        #expect(failure.code.isRetriable)
        #expect(Inquiries(producer, nil).clusterID() == nil)
      }
    }
  }

  @Test("the cluster has a name once it was heard of")
  func clusterID() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await kafka.withProducer { producer in
        _ = await blocking { Inquiries(producer, nil).topics(["t"], until: Self.soon) }
        #expect(Inquiries(producer, nil).clusterID()?.isEmpty == false)
      }
    }
  }
}
