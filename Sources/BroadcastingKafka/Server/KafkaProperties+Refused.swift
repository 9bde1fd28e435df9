//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What may not be set, since a promise hangs on it or whoever writes a URL would get more than a cluster by it.
extension KafkaProperties {
  /// The properties that are said, by the names by which they are checked and known here, and these names as they were written.
  static func checked(
    _ said: [String: String]
  ) throws(BroadcastError) -> (own: [String: String], written: [String: String]) {
    var own: [String: String] = [:]
    var names: [String: String] = [:]
    for (written, value) in said.sorted(by: { $0.key < $1.key }) {
      let name = commonName(written)
      if let reason = refusal(of: name) {
        throw KafkaURL.invalid("the property \(written) can't be set: \(reason)")
      }
      guard own.updateValue(value, forKey: name) == nil else {
        throw KafkaURL.invalid("the property \(name) is there under two of its names")
      }
      names[name] = written
      try check(name, value)
    }
    return (own, names)
  }

  /// One name for all that librdkafka takes for the same property. In front of those of topics it leaves out "topic."
  /// (rdkafka_conf.c, `rd_kafka_topic_conf_set`), and some have two names. Letters count as they are.
  private static func commonName(_ name: String) -> String {
    let prefix = "topic."
    var short = name
    // All of them: the library would take the next one away.
    while short.hasPrefix(prefix), !ownOfTopics.contains(where: { short.hasPrefix($0) }) {
      short.removeFirst(prefix.count)
    }
    return aliases[short] ?? short
  }

  /// Names that begin so by themselves.
  private static let ownOfTopics = ["topic.metadata.refresh.", "topic.metadata.propagation.", "topic.blacklist"]

  private static let aliases = [
    "sasl.mechanism": "sasl.mechanisms", "queue.buffering.max.ms": "linger.ms",
    "max.in.flight": "max.in.flight.requests.per.connection", "message.send.max.retries": "retries",
    "compression.codec": "compression.type", "max.partition.fetch.bytes": "fetch.message.max.bytes",
  ]

  private static func check(_ name: String, _ value: String) throws(BroadcastError) {
    if let (limits, reason) = limited[name] {
      // librdkafka takes more for a number, as 0x1388 and 5000x, and 010 for 8.
      guard let number = Int(value), limits.contains(number), value == "\(number)" else {
        throw KafkaURL.invalid(
          "the property \(name) is a number from \(limits.lowerBound) to \(limits.upperBound): \(reason)")
      }
    }
    if name == "partitioner", value.lowercased() == "random" {
      throw KafkaURL.invalid(
        "the property partitioner can't be random: the messages of a channel would lose their order")
    }
    if ofKerberos.contains(name), value.hasPrefix("-") || !value.utf8.allSatisfy(isHarmless) {
      throw KafkaURL.invalid(
        "the property \(name) can hold ASCII letters, digits and . _ / @ - alone, and not begin with a hyphen: librdkafka gives it "
          + "to a shell")
    }
  }

  private static let limited = [
    "reconnect.backoff.ms": (0...1_000, "a broker that is back is found within seconds"),
    "reconnect.backoff.max.ms": (0...1_000, "a broker that is back is found within seconds"),
    "topic.metadata.refresh.interval.ms": (1...5_000, "partitions that are added are found within seconds"),
  ]

  /// They stand in the command by which librdkafka gets a ticket (rdkafka_sasl_cyrus.c), or could.
  private static let ofKerberos: Set = [
    "sasl.kerberos.principal", "sasl.kerberos.keytab", "sasl.kerberos.service.name",
  ]

  private static func isHarmless(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "@"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }

  // MARK: Refused

  private static func refusal(of name: String) -> String? {
    if let reason = refused[name] { return reason }
    if ["_cb", "_cmp"].contains(where: { name.hasSuffix($0) }) { return "it is a function" }
    // Those of its unit tests: the text of the URL would be taken for an address in memory.
    if ["ut_", "test."].contains(where: { name.hasPrefix($0) }) { return inner }
    return name.hasPrefix("offset.store.") ? offsets : nil
  }

  private static let groups = "there are no consumer groups here; each subscriber gets each message"
  private static let offsets = "where reading begins and goes on is what the backend answers for"
  private static let acknowledgement = "what publish answers would not be true; it waits for all replicas in sync"
  private static let hosts = "the brokers stand in the URL, in front of the question mark"
  private static let time = "publishTimeout of the configuration sets it"
  private static let program = "it would run code that the URL names"
  private static let inner = "it is of use only to the backend itself"

  /// By the names of ``commonName(_:)``.
  static let refused = [
    "group.id": groups, "group.instance.id": groups, "enable.auto.commit": offsets, "auto.commit.enable": offsets,
    "enable.auto.offset.store": offsets, "auto.offset.reset": offsets, "enable.partition.eof": offsets,
    "acks": acknowledgement, "request.required.acks": acknowledgement, "message.timeout.ms": time,
    "delivery.timeout.ms": time, "transactional.id": "there are no transactions here",
    "enable.idempotence": "a message whose answer is lost would arrive twice, or behind the next one",
    "delivery.report.only.error": acknowledgement, "enable.gapless.guarantee": acknowledgement,
    "bootstrap.servers": hosts, "metadata.broker.list": hosts, "plugin.library.paths": program,
    "sasl.kerberos.kinit.cmd": program, "ssl.engine.location": program, "ssl.engine.id": program,
    "ssl.providers": program, "ssl_engine_callback_data": inner, "ssl_key": inner, "ssl_certificate": inner,
    "ssl_ca": inner, "internal.termination.signal": "a signal could end the program",
    "statistics.interval.ms": inner, "log.queue": inner, "enabled_events": inner, "opaque": inner,
    "default_topic_conf": inner, "interceptors": inner,
    "allow.auto.create.topics": "the option create says whether topics are made",
  ]
}
