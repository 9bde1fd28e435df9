//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingKafka

@Suite("Clusters' URLs")
struct KafkaURLTests {
  private func url(
    _ text: String, over configuration: KafkaBroadcast.Configuration = .init()
  ) throws -> KafkaURL { try KafkaURL(BackendURL(text), over: configuration) }

  private func refusal(_ text: String) throws -> String {
    let error = try #require(throws: BroadcastError.self) { _ = try url(text) }
    #expect(error.code == .invalidURL && !error.isRetriable)
    return error.message
  }

  @Test(
    "brokers have their ports, and the usual one where they have none",
    arguments: [
      ("kafka://", "localhost:9092"), ("kafka:///", "localhost:9092"), ("kafka://a", "a:9092"),
      ("KAFKA://a:1,b,c:3/", "a:1,b:9092,c:3"), ("kafka://[::1]:7,[2001:db8::1]", "[::1]:7,[2001:db8::1]:9092"),
      ("kafka://u:p@a:1,b:2", "a:1,b:2"),
    ])
  func servers(text: String, servers: String) throws { #expect(try url(text).servers.description == servers) }

  @Test("without options each channel is a topic, and topics are made")
  func defaults() throws {
    let url = try url("kafka://a")
    #expect(url.topic == nil && url.probeTopic == "__broadcast.probes")
    #expect(url.newTopics == NewTopics() && url.properties.isEmpty)
  }

  @Test("what is ours is taken out, all else is librdkafka's")
  func options() throws {
    let url = try url(
      "kafka://a/?topic=all&probe.topic=p&create.partitions=6&create.replication=3&create.retention.ms=9&ssl.ca.location=%2Fa%20b&linger.ms=1"
    )
    #expect(url.topic == "all" && url.probeTopic == "p")
    #expect(url.newTopics == NewTopics(partitions: 6, replication: 3, settings: ["retention.ms": "9"]))
    #expect(url.properties == ["ssl.ca.location": "/a b", "linger.ms": "1"])
    #expect(try self.url("kafka://a?probe.topic=__broadcast.probes").probeTopic == "__broadcast.probes")
    #expect(try self.url("kafka://a?create=false&create.partitions=6").newTopics == nil)
  }

  @Test("the URL goes before the configuration")
  func precedence() throws {
    var configuration = KafkaBroadcast.Configuration()
    configuration.topic = "mine"
    configuration.newTopics = nil
    configuration.properties = ["linger.ms": "1", "debug": "broker"]
    let silent = try url("kafka://a", over: configuration)
    #expect(silent.topic == "mine" && silent.newTopics == nil && silent.properties == configuration.properties)
    let loud = try url("kafka://a?topic=other&create=true&linger.ms=2", over: configuration)
    #expect(loud.topic == "other" && loud.newTopics == NewTopics())
    #expect(loud.properties == ["linger.ms": "2", "debug": "broker"])
  }

  @Test("a user logs in by PLAIN, unless something else is said")
  func login() throws {
    let plain = try url("kafka://us%40er:p%3Aw%2F%3F@a").properties
    #expect(
      plain == [
        "sasl.username": "us@er", "sasl.password": "p:w/?", "security.protocol": "sasl_plaintext",
        "sasl.mechanism": "PLAIN",
      ])
    let secure = try url("kafka://u:@a?security.protocol=SSL&sasl.mechanism=SCRAM-SHA-512").properties
    #expect(secure["security.protocol"] == "sasl_ssl" && secure["sasl.mechanism"] == "SCRAM-SHA-512")
    #expect(secure["sasl.password"] == "")
    let own = try url("kafka://u:p@a?security.protocol=sasl_ssl&sasl.mechanisms=SCRAM-SHA-256").properties
    #expect(own["security.protocol"] == "sasl_ssl" && own["sasl.mechanism"] == nil)
  }

  @Test(
    "what is wrong is named, and nothing of the URL repeated",
    arguments: [
      ("kafkas://a", "scheme"), ("kafka://a/topic", "?topic=NAME"), ("kafka://a#secret", "%23"),
      ("kafka://secret@a", "a user needs a password"), ("kafka://:secret@a", "a user needs a password"),
      ("kafka://u:secret@a:0", "a port is a number"), ("kafka://u:secret@a:65536", "a port is a number"),
      ("kafka://u:secret@a,,b", "a broker is missing"), ("kafka://u:secret@a,", "a broker is missing"),
      ("kafka://[::g]", "IPv6"), ("kafka://[::1]x", "IPv6"), ("kafka://a!b", "character that no host has"),
      ("kafka://u:%zz@a", "hexadecimal"), ("kafka://u:%00@a", "NUL"), ("kafka://u:%ff@a", "UTF-8"),
      ("kafka://a?secret", "name=value"), ("kafka://a?topic=x&topic=y", "twice"),
      ("kafka://a?topic=se%20cret", "ASCII letters"), ("kafka://a?topic=", "is empty"),
      ("kafka://a?probe.topic=..", "neither \".\" nor \"..\""), ("kafka://a?create=secret", "true or false"),
      ("kafka://a?create.partitions=0", "from 1 to"), ("kafka://a?create.replication=secret", "from 1 to"),
      ("kafka://a?topic=__broadcast.probes", "are the same"), ("kafka://a?topic=__x", "two underscores"),
      ("kafka://a?probe.topic=__consumer_offsets", "probe.topic can't name"),
      ("kafka://u:12?Secret=34@a", "stands behind"), ("kafka://u:12?secret=34@a", "stands behind"),
      ("kafka://a?Secret=1", "a to z"), ("kafka://u:p@a?my-secret=1", "a to z"),
      ("kafka://u:secret@a?sasl.password=secret", "sasl.username or sasl.password"),
    ])
  func refusals(text: String, reason: String) throws {
    let message = try refusal(text)
    #expect(message.contains(reason) && !message.contains("secret"))
  }

  @Test("no more than 64 brokers are named")
  func manyBrokers() throws {
    let hosts = [String](repeating: "a", count: 64)
    #expect(try url("kafka://" + hosts.joined(separator: ",")).servers.description.count > 64)
    #expect(try refusal("kafka://" + (hosts + ["a"]).joined(separator: ",")).contains("more than 64"))
  }
}
