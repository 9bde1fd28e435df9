//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingKafka

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("Properties of librdkafka")
struct KafkaPropertiesTests {
  private func properties(
    _ options: String = "", _ configuration: KafkaBroadcast.Configuration = .init()
  ) throws -> KafkaProperties {
    try KafkaProperties(KafkaURL(BackendURL("kafka://a:1,b:2?" + options), over: configuration), configuration)
  }

  private func refusal(_ options: String) throws -> String {
    let error = try #require(throws: BroadcastError.self) { try properties(options).check() }
    #expect(error.code == .invalidURL)
    return error.message
  }

  @Test("what a promise hangs on is set, and librdkafka takes all of it")
  func defaults() throws {
    var configuration = KafkaBroadcast.Configuration()
    configuration.clientName = "me"
    let properties = try properties("", configuration)
    try properties.check()
    let producer = properties.values(for: .producer)
    let consumer = properties.values(for: .consumer)
    #expect(producer["bootstrap.servers"] == "a:1,b:2" && consumer["bootstrap.servers"] == "a:1,b:2")
    #expect(producer["client.id"] == "me.producer" && consumer["client.id"] == "me.consumer")
    #expect(producer["enable.idempotence"] == "true" && producer["acks"] == "all")
    #expect(producer["message.timeout.ms"] == "1000" && producer["message.max.bytes"] == "1065536")
    #expect(consumer["auto.offset.reset"] == "error" && consumer["enable.partition.eof"] == "true")
    #expect(consumer["group.id"] == nil)
  }

  @Test("a message's time is a second less than publishing has, and never less than half a second")
  func messageTime() throws {
    var configuration = KafkaBroadcast.Configuration()
    configuration.publishTimeout = .milliseconds(7_250)
    #expect(try properties("", configuration).values(for: .producer)["message.timeout.ms"] == "6250")
    configuration.publishTimeout = .milliseconds(100)
    #expect(try properties("", configuration).values(for: .producer)["message.timeout.ms"] == "500")
  }

  @Test("what the URL says goes before what is set here, under both names of a property")
  func precedence() throws {
    let properties = try properties("linger.ms=5&fetch.wait.max.ms=10&sasl.mechanism=PLAIN&client.id=x")
    try properties.check()
    #expect(properties.values(for: .producer)["linger.ms"] == "5")
    #expect(properties.values(for: .consumer)["fetch.wait.max.ms"] == "10")
    #expect(properties.values(for: .consumer)["sasl.mechanisms"] == "PLAIN")
    #expect(properties.values(for: .consumer)["client.id"] == "x")
    let late = try self.properties("queue.buffering.max.ms=7").values(for: .producer)
    #expect(late["linger.ms"] == "7" && late["queue.buffering.max.ms"] == nil)
  }

  @Test("the largest message there is overflows nothing")
  func largest() throws {
    var configuration = KafkaBroadcast.Configuration()
    configuration.maximumMessageBytes = .max
    let properties = try properties("", configuration)
    try properties.check()
    #expect(properties.values(for: .producer)["message.max.bytes"] == "1000000000")
  }

  @Test(
    "what may be less may not be more",
    arguments: [
      "reconnect.backoff.ms", "reconnect.backoff.max.ms", "topic.metadata.refresh.interval.ms",
    ])
  func limited(name: String) throws {
    try properties("\(name)=1000").check()
    for value in ["5001", "-1"] { #expect(try refusal("\(name)=\(value)").contains(name)) }
  }

  @Test(
    "what would break a promise is refused, with the reason",
    arguments: [
      ("group.id=g", "no consumer groups"), ("acks=1", "publish answers"),
      ("request.required.acks=1", "publish answers"),
      ("message.timeout.ms=1", "publishTimeout"), ("bootstrap.servers=x", "in front of the question mark"),
      ("plugin.library.paths=x", "run code"), ("sasl.kerberos.kinit.cmd=x", "run code"),
      ("auto.offset.reset=latest", "where reading begins"), ("transactional.id=t", "transactions"),
      ("dr_msg_cb=x", "function"), ("enable.idempotence=false", "arrive twice"), ("partitioner=random", "order"),
      ("enable.partition.eof=false", "where reading begins"), ("ssl.engine.location=/x.so", "run code"),
      ("ssl.engine.id=x", "run code"), ("ssl.providers=x", "run code"), ("ssl_engine_callback_data=x", "only to"),
      ("internal.termination.signal=9", "end the program"), ("offset.store.path=/x", "where reading begins"),
    ])
  func refused(option: String, reason: String) throws {
    let message = try refusal(option)
    #expect(message.contains(reason) && message.contains(option.prefix { $0 != "=" }))
  }

  @Test(
    "what librdkafka takes with a prefix is refused with it too",
    arguments: KafkaProperties.refused.keys.sorted() + [
      "dr_msg_cb", "msg_order_cmp", "ut_handle_ProduceResponse", "offset.store.path",
    ])
  func refusedWithPrefix(name: String) throws {
    for name in [name, "topic.\(name)", "topic.topic.\(name)"] {
      var configuration = KafkaBroadcast.Configuration()
      configuration.properties = [name: "1"]
      let error = #expect(throws: BroadcastError.self) { try properties("", configuration) }
      #expect(error?.code == .invalidURL && error?.message.contains("the property \(name) can't be set") == true)
    }
  }

  @Test("a prefix goes round no limit either, and is nothing that librdkafka hears of")
  func prefix() throws {
    #expect(try refusal("topic.partitioner=random").contains("order"))
    #expect(try refusal("topic.reconnect.backoff.max.ms=9000").contains("reconnect.backoff.max.ms"))
    #expect(try refusal("topic.topic.acks=1").contains("topic.acks"))
    let values = try properties("topic.compression.codec=gzip&topic.metadata.refresh.sparse=false")
    try values.check()
    #expect(values.values(for: .producer)["compression.type"] == "gzip")
    #expect(values.values(for: .producer)["topic.metadata.refresh.sparse"] == "false")
    for twice in ["linger.ms=1&queue.buffering.max.ms=2", "topic.request.timeout.ms=1000&request.timeout.ms=2000"] {
      #expect(try refusal(twice).contains("two of its names"))
    }
  }

  @Test(
    "what librdkafka alone takes for a number goes round no limit", arguments: ["0x1388", "5000x", "%205000", "010"])
  func numbers(value: String) throws { #expect(try refusal("reconnect.backoff.max.ms=\(value)").contains("a number")) }

  @Test(
    "what librdkafka gives to a shell holds nothing that one obeys",
    arguments: ["sasl.kerberos.principal", "sasl.kerberos.keytab", "sasl.kerberos.service.name"])
  func shell(name: String) throws {
    for value in ["a;id", "$(id)", "`id`", "a%20b", "a%22b", "a%0Ab", "-x", "a|b", "a%26b", "\u{e9}", "%25%7Bx%7D"] {
      #expect(try refusal("\(name)=\(value)").contains("a shell"))
    }
    #expect(throws: Never.self) { try properties("\(name)=/etc/app-1_x.keytab") }
    #expect(throws: Never.self) { try properties("\(name)=app/host.example%40REALM") }
  }

  @Test("a name or a value that librdkafka does not know is named, a secret is not")
  func unknown() throws {
    #expect(try refusal("no.such.thing=1").contains("no.such.thing"))
    #expect(try refusal("security.protocol=rot13").contains("rot13"))
    for name in [
      "linger.ms", "queue.buffering.max.ms", "max.in.flight", "topic.request.timeout.ms", "compression.codec",
    ] {
      let message = try refusal("\(name)=-5")
      #expect(message.contains("take the property \(name): ") && message.contains("property \"\(name)\""), "\(message)")
      #expect(!message.contains("\n"))
    }
    let message = try refusal("sasl.oauthbearer.method=hunter2")
    #expect(message.contains("sasl.oauthbearer.method") && !message.contains("hunter2"))
  }

  @Test(
    "what does not fit together is refused before anything connects, in one line",
    arguments: [
      ("linger.ms=5000", "publishTimeout of the configuration less a second"), ("max.in.flight=100", "`max.in.flight`"),
      ("retries=0", "enable.idempotence is always true"), ("queuing.strategy=lifo", "queuing.strategy"),
      ("reconnect.backoff.ms=900&reconnect.backoff.max.ms=500", "it means reconnect.backoff.ms"),
      ("receive.message.max.bytes=1000", "fetch.max.bytes"), ("fetch.max.bytes=10", "message.max.bytes"),
      ("security.protocol=ssl&ssl.ca.location=/nonexistent", "ssl.ca.location"),
      ("security.protocol=sasl_ssl&sasl.mechanism=FOO", "FOO"), ("reconnect.backoff.jitter.ms=99999999", "range"),
    ])
  func together(options: String, words: String) throws {
    let message = try refusal(options)
    #expect(message.contains(words) && !message.contains("\n"), "\(message)")
  }

  @Test("what is tried out beforehand runs no command")
  func kerberos() throws {
    let mark = "/tmp/\(UInt64.random(in: 0 ... .max)).tried-out"
    defer { unlink(mark) }
    let values = [
      "security.protocol": "sasl_plaintext", "sasl.mechanisms": "GSSAPI", "sasl.kerberos.kinit.cmd": "touch \(mark)",
    ]
    // A librdkafka without Kerberos takes none of it.
    if KafkaHandle.refusedProperty(values) != nil { return }
    try KafkaHandle.tryOut(.producer, values)
    #expect(access(mark, F_OK) != 0)
  }
}
