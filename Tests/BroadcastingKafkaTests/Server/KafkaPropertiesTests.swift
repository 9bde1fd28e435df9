//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingKafka

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
      ("enable.partition.eof=false", "where reading begins"),
    ])
  func refused(option: String, reason: String) throws {
    let message = try refusal(option)
    #expect(message.contains(reason) && message.contains(option.prefix { $0 != "=" }))
  }

  @Test("a name or a value that librdkafka does not know is named, a secret is not")
  func unknown() throws {
    #expect(try refusal("no.such.thing=1").contains("no.such.thing"))
    #expect(try refusal("security.protocol=rot13").contains("rot13"))
    let message = try refusal("sasl.oauthbearer.method=hunter2")
    #expect(message.contains("sasl.oauthbearer.method") && !message.contains("hunter2"))
  }
}
