//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "A topic that changes under its readers", .enabled(if: Broker.kafka.isStartable, "Kafka is missing"),
  .timeLimit(.minutes(3)))
struct TopicLifeTests {
  /// With automatic topics whoever asks for one that is gone makes it, and be it by looking where it is.
  @Test("one that is deleted is made again, with a gap, also where the broker makes topics", arguments: [false, true])
  func deleted(makesTopics: Bool) async throws {
    var options = KafkaServer.Options()
    options.settings = ["auto.create.topics.enable": "\(makesTopics)"]
    try await KafkaServer.with(options) { kafka in
      for topic in [nil, "deleted-together"] {
        try await KafkaLine.with(kafka, topic: topic) { line in
          var deliveries = try await line.broadcast.subscribe(to: "deleted").makeAsyncIterator()
          for number in 0..<5 { try await line.broadcast.publish("\(number)", to: "deleted") }
          let before = try await deliveries.texts(upTo: "4")
          #expect(before.count == 5)
          try await kafka.admin.delete(topic ?? "deleted")
          guard case .gap(let gap) = try await deliveries.next() else {
            Issue.record("There is no gap.")
            return
          }
          #expect(gap.reason == .brokerLoss || gap.reason == .connectionLost)
          try await line.publish("after", to: "deleted")
          let after = try await deliveries.texts(upTo: "after")
          #expect(after.allSatisfy { $0 == "after" || $0.hasPrefix("gap") })
        }
      }
    }
  }

  /// The places in the old one mean nothing in the new one, be they behind its end or not.
  @Test(
    "one that is deleted and made anew while the line is cut is a gap, however full it is", arguments: [0, 5, 10, 14])
  func replaced(refilled count: Int) async throws {
    try await KafkaLine.with { line in
      let name = "replaced-\(count)"
      let channel = Channel(name)
      var deliveries = try await line.broadcast.subscribe(to: channel).makeAsyncIterator()
      for number in 0..<10 { try await line.broadcast.publish("\(number)", to: channel) }
      let before = try await deliveries.texts(upTo: "9")
      #expect(before.count == 10)
      try await line.whileCut {
        try await line.kafka.admin.delete(name)
        try await line.kafka.admin.create(name)
        try await line.kafka.admin.produce((0..<count).map { .init("new \($0)") }, to: name)
      }
      // Nothing of the new one comes as if it had followed what was there before.
      guard case .gap = try await deliveries.next() else {
        Issue.record("There is no gap.")
        return
      }
      try await line.publish("after", to: channel)
      let after = try await deliveries.texts(upTo: "after")
      #expect(after.last == "after")
    }
  }

  @Test("one that is deleted while the line is cut, and whose broker restarts then, is made again, with a gap")
  func deletedAndRestarted() async throws {
    try await KafkaServer.with { kafka in
      try await KafkaLine.with(kafka) { line in
        var deliveries = try await line.broadcast.subscribe(to: "restarted").makeAsyncIterator()
        try await line.broadcast.publish("0", to: "restarted")
        #expect(try await deliveries.texts(upTo: "0") == ["0"])
        try await line.whileCut {
          try await kafka.admin.delete("restarted")
          try await kafka.restart()
        }
        try await line.publish("first", to: "restarted")
        guard case .gap = try await deliveries.next() else {
          Issue.record("There is no gap.")
          return
        }
        try await line.publish("after", to: "restarted")
        let after = try await deliveries.texts(upTo: "after")
        #expect(after.last == "after")
      }
    }
  }

  @Test("partitions that are added are read from their beginning, without a gap", arguments: [nil, "growing-together"])
  func growing(topic: String?) async throws {
    try await KafkaLine.with(topic: topic) { line in
      var deliveries = try await line.broadcast.subscribe(to: "growing").makeAsyncIterator()
      try await line.kafka.admin.addPartitions(topic ?? "growing", upTo: 3)
      for partition in 1...2 {
        var record = KafkaAdmin.Record("in \(partition)", key: "growing")
        record.partition = partition
        try await line.kafka.admin.produce([record], to: topic ?? "growing")
      }
      var texts: Set<String> = []
      while texts.count < 2, let delivery = try await deliveries.next() {
        guard case .message(let message) = delivery else {
          Issue.record("\(delivery)")
          return
        }
        texts.insert(message.text ?? "")
      }
      #expect(texts == ["in 1", "in 2"])
    }
  }

  /// Its name is all that tells it from the one before: nothing has been read that could be compared, and the topic is there.
  @Test("another cluster that takes its place as soon as it is connected is noticed by its name")
  func exchangedAtOnce() async throws {
    try await KafkaServer.with { kafka in
      try await KafkaLine.with(kafka) { line in
        var deliveries = try await line.broadcast.subscribe(to: "exchanged-soon").makeAsyncIterator()
        try await line.whileCut {
          try await kafka.exchange()
          try await kafka.admin.create("exchanged-soon")
          try await kafka.admin.produce([.init("of the other")], to: "exchanged-soon")
        }
        guard case .gap = try await deliveries.next() else {
          Issue.record("There is no gap.")
          return
        }
        let isNoticed = line.events.all.contains { $0.error?.message.contains("another cluster") == true }
        #expect(isNoticed, "\(line.events.all)")
      }
    }
  }

  @Test("another cluster in the place of the one before is a new beginning, with a gap")
  func exchanged() async throws {
    try await KafkaServer.with { kafka in
      try await KafkaLine.with(kafka) { line in
        var deliveries = try await line.broadcast.subscribe(to: "exchanged").makeAsyncIterator()
        try await line.broadcast.publish("0", to: "exchanged")
        #expect(try await deliveries.texts(upTo: "0") == ["0"])
        try await line.whileCut { try await kafka.exchange() }
        guard case .gap = try await deliveries.next() else {
          Issue.record("There is no gap.")
          return
        }
        try await line.publish("after", to: "exchanged")
        let after = try await deliveries.texts(upTo: "after")
        #expect(after.last == "after")
      }
    }
  }
}
