//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingKafka

@Suite("A producer that can't go on", .timeLimit(.minutes(1)))
struct FatalTests {
  @Test("is replaced: what it had is told, and later messages go by the next one")
  func replaced() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await PublishingRig.with(kafka) { rig in
        try await rig.publish("a", to: "t")
        // The broker has a batch of a later number: what came between is lost, which an idempotent producer can't mend.
        kafka.fail(.produce, with: [.outOfOrderSequence])
        let error = await failure { try await rig.publish("b", to: "t") }
        #expect(error?.isRetriable == true)
        try await rig.publish("c", to: "t")
        try await rig.publish("d", to: "other")
        #expect(rig.told.producers == 2)
      }
    }
  }

  @Test("one that has many topics is followed by another, and nothing is lost")
  func renewed() async throws {
    try await MockKafka.with { kafka in
      for number in 0..<4 { kafka.create("t\(number)") }
      try await PublishingRig.with(kafka) { rig in
        try await rig.renewProducer(atTopics: 3)
        for number in 0..<20 { try await rig.publish("\(number)", to: Channel("t\(number % 4)")) }
        try await settle { rig.told.producers == 2 }
        try await rig.publish("last", to: "t0")
        #expect(rig.told.producers == 2 && rig.told.unusable == nil)
      }
    }
  }

  @Test("calls that come while there is none wait for the next, and probes too")
  func meanwhile() async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      kafka.create("probes")
      try await PublishingRig.with(kafka) { rig in
        try await rig.publish("a", to: "t")
        try await rig.breakProducer()
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<50 { group.addTask { try await rig.publish("\(number)", to: "t") } }
          try await rig.probe(3, to: "probes", partition: 0)
          try await group.waitForAll()
        }
        #expect(rig.told.producers == 2)
        try await kafka.withConsumer { consumer in
          try consumer.start(consumer.topic("probes", slot: 0), partition: 0, at: -2)
          try await settle { consumer.take().records.contains { $0.text == "3" } }
        }
      }
    }
  }
}
