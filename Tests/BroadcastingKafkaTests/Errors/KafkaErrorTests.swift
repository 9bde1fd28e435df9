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
    #expect(KafkaError.probing(failure, topic: "p", at: servers).message.contains("probe.topic"))
    #expect(KafkaError.creating(KafkaFailure(.clusterAuthorization), topic: "t").message.contains("right Create"))
    #expect(KafkaError.subscribing(KafkaFailure(.unknownTopic), topic: "t").message.contains("create=false"))
  }

  @Test("a broker's words become one sentence without control characters")
  func sentences() {
    #expect(KafkaError.sentence(" a\nb\u{1b}[2J ") == "a b [2J.")
    #expect(KafkaError.sentence("Why?") == "Why?")
    #expect(KafkaError.sentence(" ") == "No reason is given.")
    #expect(KafkaError.sentence(String(repeating: "x", count: 1_000)).count == 301)
  }
}
