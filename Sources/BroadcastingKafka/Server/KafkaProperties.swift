//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The properties of librdkafka that both handles get (its CONFIGURATION.md).
struct KafkaProperties: Sendable {
  private let producer: [String: String]
  private let consumer: [String: String]

  /// - Throws: An error with the code `invalidURL` for a property on which the promises of the backend hang.
  init(_ url: KafkaURL, _ configuration: KafkaBroadcast.Configuration) throws(BroadcastError) {
    for name in url.properties.keys.sorted() {
      if let reason = Self.refused[name] ?? Self.callback(name) {
        throw KafkaURL.invalid("the property \(name) can't be set: \(reason)")
      }
    }
    var own = url.properties
    // One of a property's two names: what is fixed below by the one is not to meet the other.
    for (alias, name) in Self.aliases {
      if let value = own.removeValue(forKey: alias), own[name] == nil { own[name] = value }
    }
    for (name, limits, reason) in Self.limited {
      // What is no number is librdkafka's to refuse.
      guard let value = own[name].flatMap({ Int($0) }), !limits.contains(value) else { continue }
      throw KafkaURL.invalid(
        "the property \(name) is a number from \(limits.lowerBound) to \(limits.upperBound): \(reason)")
    }
    if own["partitioner"]?.lowercased() == "random" {
      throw KafkaURL.invalid(
        "the property partitioner can't be random: the messages of a channel would lose their order")
    }
    let both = Self.both.merging(["bootstrap.servers": url.servers.description]) { $1 }
    var producer = both.merging(Self.producing) { $1 }
    producer["client.id"] = configuration.clientName + ".producer"
    let patience = Self.milliseconds(configuration.publishTimeout)
    producer["message.timeout.ms"] = String(max(500, patience - 1_000))
    // librdkafka takes 1,000,000,000 at most.
    let room = 65_536
    producer["message.max.bytes"] = String(min(max(0, configuration.maximumMessageBytes), 1_000_000_000 - room) + room)
    // The default without idempotence too, as it is here; it is one of the promises.
    producer["acks"] = "all"
    var consumer = both.merging(Self.reading) { $1 }
    consumer["client.id"] = configuration.clientName + ".consumer"
    producer.merge(own) { $1 }
    self.producer = producer
    self.consumer = consumer.merging(own) { $1 }
  }

  func values(for kind: KafkaHandle.Kind) -> [String: String] {
    switch kind {
    case .producer: producer
    case .consumer: consumer
    }
  }

  /// Asks librdkafka whether it knows all of them, and takes their values.
  func check() throws(BroadcastError) {
    for kind in [KafkaHandle.Kind.producer, .consumer] {
      let values = values(for: kind)
      guard let (name, reason) = KafkaHandle.refusedProperty(values) else { continue }
      let isSecret = ["password", "secret", "key", "pem", "token", "username", "jaas", "oauth"].contains {
        name.lowercased().contains($0)
      }
      let words =
        isSecret
        ? "librdkafka does not take the value of the property \(name)"
        : "librdkafka does not take the property \(name): \(reason)"
      throw KafkaURL.invalid("\(words); its CONFIGURATION.md names all there are")
    }
  }

  // MARK: What they are

  private static let both = [
    "socket.nagle.disable": "true",
    "socket.keepalive.enable": "true",
    "socket.timeout.ms": "5000",
    "socket.connection.setup.timeout.ms": "3000",
    "reconnect.backoff.ms": "100",
    "reconnect.backoff.max.ms": "1000",
    "allow.auto.create.topics": "false",
    "api.version.request": "true",
  ]

  private static let producing = [
    "enable.idempotence": "true",
    "linger.ms": "0",
    "batch.size": "1000000",
    "queue.buffering.max.messages": "200000",
    "queue.buffering.max.kbytes": "262144",
    "topic.metadata.refresh.interval.ms": "5000",
    // As Java's clients choose the partition, so that a key lies in the same one whoever published.
    "partitioner": "murmur2_random",
  ]

  private static let reading = [
    "fetch.wait.max.ms": "100",
    "fetch.error.backoff.ms": "100",
    "auto.offset.reset": "error",
    "enable.auto.commit": "false",
    "enable.partition.eof": "true",
  ]

  private static let aliases = [
    "sasl.mechanism": "sasl.mechanisms", "queue.buffering.max.ms": "linger.ms",
    "max.in.flight": "max.in.flight.requests.per.connection",
  ]

  private static let limited = [
    ("reconnect.backoff.ms", 0...1_000, "a broker that is back is found within seconds"),
    ("reconnect.backoff.max.ms", 0...1_000, "a broker that is back is found within seconds"),
    ("topic.metadata.refresh.interval.ms", 1...5_000, "partitions that are added are found within seconds"),
  ]

  private static let groups = "there are no consumer groups here; each subscriber gets each message"
  private static let offsets = "where reading begins and goes on is what the backend answers for"
  private static let acknowledgement = "what publish answers would not be true; it waits for all replicas in sync"
  private static let hosts = "the brokers stand in the URL, in front of the question mark"
  private static let time = "publishTimeout of the configuration sets it"
  private static let program = "it would run code that the URL names"
  private static let inner = "it is of use only to the backend itself"

  private static let refused = [
    "group.id": groups, "group.instance.id": groups, "enable.auto.commit": offsets, "auto.commit.enable": offsets,
    "enable.auto.offset.store": offsets, "auto.offset.reset": offsets, "enable.partition.eof": offsets,
    "acks": acknowledgement, "request.required.acks": acknowledgement, "message.timeout.ms": time,
    "delivery.timeout.ms": time, "transactional.id": "there are no transactions here",
    "enable.idempotence": "a message whose answer is lost would arrive twice, or behind the next one",
    "delivery.report.only.error": acknowledgement, "enable.gapless.guarantee": acknowledgement,
    "bootstrap.servers": hosts, "metadata.broker.list": hosts, "plugin.library.paths": program,
    "sasl.kerberos.kinit.cmd": program, "statistics.interval.ms": inner, "log.queue": inner,
    "enabled_events": inner, "opaque": inner, "default_topic_conf": inner, "interceptors": inner,
    "allow.auto.create.topics": "the option create says whether topics are made",
    "test.mock.num.brokers": inner,
  ]

  private static func callback(_ name: String) -> String? {
    name.hasSuffix("_cb") || name.hasSuffix("_cmp") ? "it is a function" : nil
  }

  private static func milliseconds(_ time: Duration) -> Int {
    let (seconds, attoseconds) = time.components
    return Int(min(max(seconds, 0), 86_400)) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
  }
}
