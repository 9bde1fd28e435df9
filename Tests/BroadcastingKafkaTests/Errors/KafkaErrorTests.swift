//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingKafka

@Suite("Errors of Kafka")
struct KafkaErrorTests {
  private let servers = KafkaServerAddress(description: "a:9092")
  private let old = LibraryVersion(number: 0x0200_02ff)
  private let new = LibraryVersion(number: 0x0206_01ff)

  @Test("codes are what librdkafka calls so")
  func words() {
    #expect(KafkaCode.allBrokersDown.words.contains("All broker connections are down"))
    #expect(KafkaCode.transport.words.contains("Broker transport failure"))
    #expect(KafkaCode.messageTimedOut.words.contains("Message timed out"))
    #expect(KafkaCode.unknownTopicOrPartition.words.contains("Unknown topic or partition"))
    #expect(KafkaCode.fatal.words.contains("Fatal error"))
    #expect(KafkaCode.endOfPartition.words.contains("No more messages"))
    #expect(KafkaCode.purgedInFlight.words.contains("in flight") && KafkaCode.purgedInQueue.words.contains("queue"))
    #expect(KafkaCode.notEnoughReplicas.words.contains("Not enough in-sync replicas"))
    #expect(KafkaCode.storageFailed.words.contains("Disk error"))
    #expect(KafkaCode.timedOutInQueue.words.contains("Timed out in queue"))
    #expect(KafkaCode.waitsForMetadata.words.contains("cache") && KafkaCode.inProgress.words.contains("in progress"))
    #expect(KafkaCode.offsetNotAvailable.words.contains("high watermark"))
  }

  @Test("a login that is refused is not tried for another reason, and old libraries' SCRAM is named")
  func login() {
    let failure = KafkaFailure(.authentication, "SASL authentication error: invalid credentials")
    let error = KafkaError.connecting(failure, to: servers, old)
    #expect(error.code == .refused && !error.isRetriable)
    #expect(error.message.contains("2.6.1") && error.message.contains("2.0.2") && error.message.contains("%40"))
    #expect(!KafkaError.connecting(failure, to: servers, new).message.contains("2.6.1"))
    let mechanism = KafkaFailure(
      .authentication, "SASL PLAIN mechanism handshake failed: broker's supported mechanisms: SCRAM-SHA-512")
    #expect(KafkaError.connecting(mechanism, to: servers, old).message.contains("sasl.mechanism"))
  }

  @Test(
    "a port that takes no login says so, in place of mechanisms that it has not",
    arguments: ["", " (after 3ms in state AUTH_HANDSHAKE)"])
  func noLogin(end: String) {
    let words = "SASL PLAIN mechanism handshake failed: Broker: Request not valid: broker's supported mechanisms: "
    let error = KafkaError.connecting(KafkaFailure(.authentication, words + end), to: servers, old)
    #expect(error.message.contains("This port takes no login") && !error.message.contains("sasl.mechanism"))
  }

  @Test(
    "a port that speaks no TLS says so",
    arguments: ["wrong version number", "packet length too long", "unexpected eof while reading"])
  func noTLS(words: String) {
    let error = KafkaError.connecting(KafkaFailure(.ssl, "SSL handshake failed: \(words): x"), to: servers)
    #expect(error.message.contains("may speak no TLS") && !error.message.contains("ssl.ca.location"))
    let silent = KafkaFailure(.transport, "Connection setup timed out in state SSL_HANDSHAKE")
    #expect(KafkaError.connecting(silent, to: servers).message.contains("may speak no TLS"))
    let other = KafkaError.connecting(KafkaFailure(.ssl, "certificate verify failed"), to: servers)
    #expect(other.message.contains("ssl.ca.location") && !other.message.contains("no TLS"))
  }

  @Test("a server that is none of Kafka is thought of")
  func noKafka() {
    for failure in [
      KafkaFailure(.timedOut, "ApiVersionRequest failed"),
      KafkaFailure(.transport, "Disconnected while requesting ApiVersion"),
      KafkaFailure(.badMessage, "Receive failed: Invalid response size 1213486160 (0..100000000)"),
    ] {
      #expect(KafkaError.connecting(failure, to: servers).message.contains("another server than Kafka"))
    }
    let refused = KafkaFailure(.transport, "Connect to ipv4#127.0.0.1:1 failed: Connection refused")
    #expect(!KafkaError.connecting(refused, to: servers).message.contains("another server"))
  }

  @Test("a topic that nobody makes is refused for good, and one that may come is not")
  func missing() {
    let lasting = KafkaFailure(.unknownTopicOrPartition).lasting(unless: nil)
    for error in [
      KafkaError.publishing(lasting, topic: "t", .notSent), KafkaError.subscribing(lasting, topic: "t"),
      KafkaError.probing(lasting, topic: "t", at: servers),
    ] {
      #expect(error.code == .refused && !error.isRetriable)
      #expect(error.message.contains("no topic \"t\"") && error.message.contains("kafka-topics.sh"))
      // It may be the configuration alone that wants none.
      #expect(error.message.contains("create=true") && !error.message.contains("create=false"))
    }
    #expect(KafkaFailure(.unknownTopicOrPartition).lasting(unless: NewTopics()).isRetriable)
    #expect(KafkaFailure(.leaderNotAvailable).lasting(unless: nil).isRetriable)
  }

  @Test("a topic that can't be made is no message that isn't taken")
  func creating() {
    var failure = KafkaFailure(.invalidSetting, "Unknown topic config name: bogus")
    failure.concernsCreation = true
    let error = KafkaError.publishing(failure, topic: "t", .notSent)
    #expect(error.message.contains("does not make the topic \"t\"") && error.message.contains("begin with create."))
    #expect(error.code == .refused && error.outcome == .notSent && !error.isRetriable)
  }

  @Test("settings that the cluster does not take are named as the URL has them")
  func settings() {
    func message(_ failure: KafkaFailure) -> String {
      let topics = NewTopics(settings: ["bogus": "1", "retention.ms": "2"])
      return KafkaError.settings(failure, of: topics, at: servers).message
    }
    let unknown = message(KafkaFailure(.invalidSetting, "Unknown topic config name: bogus"))
    #expect(unknown.contains("create.bogus") && !unknown.contains("create.retention.ms"))
    #expect(message(KafkaFailure(.invalidPartitions)).contains("create.partitions"))
  }

  @Test("brokers that are too few for a topic's replicas may come back, and may be too few for good")
  func tooFewBrokers() {
    var failure = KafkaFailure(.invalidReplication, "All brokers are currently fenced.")
    failure.concernsCreation = true
    for error in [
      KafkaError.settings(failure, of: NewTopics(replication: 3), at: servers),
      KafkaError.publishing(failure, topic: "t", .notSent), KafkaError.creating(failure, topic: "t"),
      KafkaError.probing(failure, topic: "t", at: servers),
    ] {
      #expect(error.code == .unavailable && error.isRetriable)
      #expect(error.message.contains("may be away") && error.message.contains("create.replication"))
    }
    var final = KafkaFailure(.invalidPartitions)
    final.concernsCreation = true
    #expect(KafkaError.creating(final, topic: "t").code == .refused)
  }

  @Test("a log-in during which the line is lost is none that was refused", arguments: [KafkaCode.transport, .timedOut])
  func loginLost(code: KafkaCode) {
    let words = "SASL PLAIN mechanism handshake failed: \(code.words): broker's supported mechanisms: "
    #expect(KafkaFailure(.authentication, words).withCause == KafkaFailure(code, words))
    let refused = KafkaFailure(.authentication, "SASL authentication error: Invalid username or password")
    #expect(refused.withCause == refused)
  }

  @Test("what passes by itself may be tried again", arguments: [2, 14, 15, 16, 72, 78, 100, 103, -164, -166, -178])
  func passing(code: Int32) { #expect(KafkaCode(rawValue: code).isRetriable) }

  @Test(
    "who cannot be reached may be later",
    arguments: [
      (KafkaCode.resolve, BroadcastError.Code.unavailable, true), (.allBrokersDown, .unavailable, true),
      (.timedOut, .timedOut, true), (.ssl, .refused, false), (.invalidArgument, .refused, false),
    ])
  func connecting(code: KafkaCode, expected: BroadcastError.Code, isRetriable: Bool) {
    let error = KafkaError.connecting(KafkaFailure(code, "x"), to: servers)
    #expect(error.code == expected && error.isRetriable == isRetriable && error.message.contains("a:9092"))
  }

  @Test(
    "what becomes of a message",
    arguments: [
      (KafkaCode.messageTimedOut, BroadcastError.Code.timedOut, true), (.transport, .unavailable, true),
      (.purgedInFlight, .unavailable, true), (.fatal, .unavailable, true), (.queueFull, .unavailable, true),
      (.notEnoughReplicas, .unavailable, true), (.notLeader, .unavailable, true), (.storageFailed, .unavailable, true),
      (.unknownTopicOrPartition, .unavailable, true), (.topicAuthorization, .refused, false),
      (.policyViolation, .refused, false), (.invalidTopic, .refused, false), (KafkaCode(rawValue: 87), .refused, false),
    ])
  func publishing(code: KafkaCode, expected: BroadcastError.Code, isRetriable: Bool) {
    let error = KafkaError.publishing(KafkaFailure(code), topic: "t", .unconfirmed)
    #expect(error.code == expected && error.isRetriable == isRetriable && error.outcome == .unconfirmed)
    #expect(error.message.contains("\"t\""))
  }

  @Test("a message that is too large was not sent, whatever else is known")
  func tooLarge() {
    let error = KafkaError.publishing(KafkaFailure(.messageTooLarge), topic: "t", .unconfirmed)
    #expect(error.code == .messageTooLarge && error.outcome == .notSent && error.message.contains("max.message.bytes"))
  }

  @Test("messages that were too large together may be published again")
  func tooLargeTogether() {
    let error = KafkaError.publishing(KafkaFailure(.recordListTooLarge), topic: "t", .notSent, isOneOfMany: true)
    #expect(error.code == .unavailable && error.isRetriable && error.outcome == .notSent)
    #expect(error.message.contains("batch.size"))
  }

  @Test("missing rights are named")
  func rights() {
    let failure = KafkaFailure(.topicAuthorization)
    #expect(KafkaError.subscribing(failure, topic: "t").message.contains("Describe and Read"))
    #expect(KafkaError.publishing(failure, topic: "t", .notSent).message.contains("Describe and Write"))
    #expect(KafkaError.publishing(failure, topic: "t", .notSent).message.contains("and Create where"))
    #expect(KafkaError.subscribing(failure, topic: "t").message.contains("and Create where"))
    #expect(KafkaError.probing(failure, topic: "p", at: servers).message.contains("probe.topic"))
    #expect(KafkaError.creating(KafkaFailure(.clusterAuthorization), topic: "t").message.contains("right Create"))
    #expect(KafkaError.subscribing(KafkaFailure(.unknownTopic), topic: "t").isRetriable)
  }

  @Test("a broker's words become one sentence without control characters")
  func sentences() {
    #expect(KafkaError.sentence(" a\nb\u{1b}[2J ") == "a b [2J.")
    #expect(KafkaError.sentence("Why?") == "Why?")
    #expect(KafkaError.sentence(" ") == "No reason is given.")
    #expect(KafkaError.sentence(String(repeating: "x", count: 1_000)).count == 301)
  }
}
