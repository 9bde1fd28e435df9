//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The properties of librdkafka that both handles get (its CONFIGURATION.md).
struct KafkaProperties: Sendable {
  private let producer: [String: String]
  private let consumer: [String: String]
  /// What somebody has said, by the names of here and as it was written.
  let written: [String: String]

  /// - Throws: An error with the code `invalidURL` for a property that may not be set.
  init(_ url: KafkaURL, _ configuration: KafkaBroadcast.Configuration) throws(BroadcastError) {
    let (own, written) = try Self.checked(url.properties)
    self.written = written
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

  private static func milliseconds(_ time: Duration) -> Int {
    let (seconds, attoseconds) = time.components
    return Int(min(max(seconds, 0), 86_400)) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
  }
}
