//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingKafka
import TestSupport
import Testing

@Suite(
  "What a URL says of new topics", .enabled(if: Broker.kafka.isStartable, "Kafka is missing"), .timeLimit(.minutes(2)))
struct TopicSettingsTests {
  @Test(
    "what the cluster does not take ends the start, and is named",
    arguments: ["create.bogus=1", "create.retention.ms=long"])
  func refused(option: String) async throws {
    let kafka = try await KafkaServer.shared
    for place in ["", "&topic=settings"] {
      let url = kafka.url(port: kafka.port, option + place)
      let error = await failure { try await Broker.kafka.open(url, Events()).run() }
      #expect(error?.code == .refused && error?.isRetriable == false, "\(error as Any)")
      #expect(error?.message.contains(option.prefix { $0 != "=" }) == true, "\(error as Any)")
    }
    #expect(try await !kafka.admin.topics().keys.contains { $0.hasSuffix(".trial") })
  }

  /// A broker answers the same while the others are starting.
  @Test("more replicas than there are brokers are tried for a while, then end the start", arguments: ["", "&topic=x"])
  func tooManyReplicas(place: String) async throws {
    let kafka = try await KafkaServer.shared
    var configuration = KafkaBroadcast.Configuration()
    configuration.hub.connectPatience = .milliseconds(500)
    let url = kafka.url(port: kafka.port, "create.replication=3" + place)
    let broadcast = try KafkaBroadcast(url, configuration: configuration)
    let error = await failure { try await broadcast.run() }
    #expect(error?.code == .unavailable && error?.isRetriable == true, "\(error as Any)")
    #expect(error?.message.contains("create.replication") == true, "\(error as Any)")
  }

  @Test("what it takes is taken")
  func taken() async throws {
    let kafka = try await KafkaServer.shared
    let url = kafka.url(port: kafka.port, "create.retention.ms=3600000&create.partitions=2&create.replication=1")
    _ = try await withBroadcast(Broker.kafka.open(url, Events())) { broadcast in
      try await broadcast.publish("a", to: "taken-settings")
    }
    #expect(try await kafka.admin.topics()["taken-settings"] == 2)
    #expect(try await !kafka.admin.topics().keys.contains { $0.hasSuffix(".trial") })
  }

  @Test("a topic that is not to be made is refused until somebody has made it")
  func missing() async throws {
    let kafka = try await KafkaServer.shared
    // So that the topic of the probes is there.
    try await withBroadcast(Broker.kafka.open(kafka.url(port: kafka.port, ""), Events())) { broadcast in
      _ = try await broadcast.subscribe(to: "made-at-once")
    }
    let events = Events()
    try await withBroadcast(Broker.kafka.open(kafka.url(port: kafka.port, "create=false"), events)) { broadcast in
      let publishing = await failure { try await broadcast.publish("a", to: "made-later") }
      #expect(publishing?.code == .refused && publishing?.isRetriable == false && publishing?.outcome == .notSent)
      let subscribing = await failure { try await broadcast.subscribe(to: "made-later") }
      #expect(subscribing?.code == .refused && subscribing?.isRetriable == false)
      for error in [publishing, subscribing] { #expect(error?.message.contains("kafka-topics.sh") == true) }

      try await kafka.admin.create("made-later")
      try await wait(for: "the topic") { (try? await broadcast.publish("b", to: "made-later")) != nil }
      var deliveries = try await broadcast.subscribe(to: "made-later").makeAsyncIterator()
      try await broadcast.publish("c", to: "made-later")
      #expect(try await deliveries.texts(upTo: "c") == ["c"])

      // Who subscribes outlasts its topic.
      try await kafka.admin.delete("made-later")
      try await wait(for: "the loss") { events.count(.refused) + events.count(.retrying) > 0 }
      try await kafka.admin.create("made-later")
      try await wait(for: "coming back") { events.count(.resubscribed) > 0 }
      try await wait(for: "the topic") { (try? await broadcast.publish("d", to: "made-later")) != nil }
      let after = try await deliveries.texts(upTo: "d")
      #expect(after.last == "d" && after.first?.hasPrefix("gap") == true, "\(after)")
    }
  }

  @Test("a port that takes no login says so")
  func login() async throws {
    let kafka = try await KafkaServer.shared
    let url = kafka.url(port: kafka.port, user: ("app", "word"), "")
    let error = await failure { try await Broker.kafka.open(url, Events()).run() }
    #expect(error?.code == .refused && error?.message.contains("takes no login") == true, "\(error as Any)")
  }

  @Test("a port that speaks no TLS says so")
  func security() async throws {
    let kafka = try await KafkaServer.shared
    let url = kafka.url(port: kafka.port, "security.protocol=ssl")
    let error = await failure { try await Broker.kafka.open(url, Events()).run() }
    #expect(error?.message.contains("may speak no TLS") == true, "\(error as Any)")
  }
}
