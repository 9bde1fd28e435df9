//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite("What Kafka no longer has", .enabled(if: Broker.kafka.isStartable, "Kafka is missing"), .timeLimit(.minutes(3)))
struct RetentionTests {
  @Test("what came while the line was cut arrives, without a gap", arguments: [nil, "kept-together"])
  func kept(topic: String?) async throws {
    try await KafkaLine.with(topic: topic) { line in
      var deliveries = try await line.broadcast.subscribe(to: "kept-apart").makeAsyncIterator()
      try await line.broadcast.publish("0", to: "kept-apart")
      try await line.whileCut {
        let records = (1...5).map { KafkaAdmin.Record("\($0)", key: "kept-apart") }
        try await line.kafka.admin.produce(records, to: topic ?? "kept-apart")
      }
      try await line.broadcast.publish("last", to: "kept-apart")
      #expect(try await deliveries.texts(upTo: "last") == ["0", "1", "2", "3", "4", "5", "last"])
      #expect(line.events.count(.connectionLost) == 1 && line.events.count(.resubscribed) == 0, "\(line.events.all)")
    }
  }

  @Test("what retention took meanwhile is a gap with the count, where a channel is a topic")
  func counted() async throws {
    try await KafkaLine.with { line in
      var deliveries = try await line.broadcast.subscribe(to: "retained").makeAsyncIterator()
      for number in 0..<3 { try await line.broadcast.publish("\(number)", to: "retained") }
      #expect(try await deliveries.texts(upTo: "2") == ["0", "1", "2"])
      try await line.whileCut {
        try await line.kafka.admin.produce((3..<13).map { .init("\($0)") }, to: "retained")
        try await line.kafka.admin.deleteRecords(of: "retained", before: 10)
      }
      #expect(try await deliveries.next() == .gap(Gap(channel: "retained", missed: 7, reason: .brokerLoss)))
      try await line.broadcast.publish("last", to: "retained")
      #expect(try await deliveries.texts(upTo: "last") == ["10", "11", "12", "last"])
    }
  }

  @Test("it is a gap for each channel where one topic has them all, and nobody can say of how many")
  func uncounted() async throws {
    try await KafkaLine.with(topic: "retained-together") { line in
      var a = try await line.broadcast.subscribe(to: "a").makeAsyncIterator()
      var b = try await line.broadcast.subscribe(to: "b").makeAsyncIterator()
      try await line.broadcast.publish("0", to: "a")
      #expect(try await a.texts(upTo: "0") == ["0"])
      try await line.whileCut {
        try await line.kafka.admin.produce((1..<5).map { .init("\($0)", key: "a") }, to: "retained-together")
        try await line.kafka.admin.deleteRecords(of: "retained-together", before: 4)
      }
      #expect(try await a.next() == .gap(Gap(channel: "a", missed: nil, reason: .brokerLoss)))
      #expect(try await b.next() == .gap(Gap(channel: "b", missed: nil, reason: .brokerLoss)))
      for channel: Channel in ["a", "b"] { try await line.broadcast.publish("last", to: channel) }
      #expect(try await a.texts(upTo: "last") == ["4", "last"])
      #expect(try await b.texts(upTo: "last") == ["last"])
    }
  }
}
