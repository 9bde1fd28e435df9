//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "Kafka with TLS and logins", .enabled(if: Broker.kafka.isStartable, "Kafka is missing"), .timeLimit(.minutes(3)))
struct SecureTests {
  @Test("TLS with a certificate that is checked, and a login; what is wrong is said")
  func tlsAndLogin() async throws {
    var options = KafkaServer.Options()
    options.users = ["app": "p@ss/word"]
    let certificates = try TestCertificates()
    options.certificates = certificates
    try await KafkaServer.with(options) { kafka in
      let secure = "security.protocol=ssl"
      try await check(kafka.url(port: kafka.securePort, "\(secure)&ssl.ca.location=\(certificates.authority)"))
      try await check(kafka.url(port: kafka.loginPort, user: ("app", "p%40ss%2Fword")))

      let untrusted = await starting(kafka.url(port: kafka.securePort, secure))
      #expect(untrusted.contains("certificate"), "\(untrusted)")
      let plain = await starting(kafka.url(port: kafka.securePort))
      #expect(plain.contains("security.protocol"), "\(plain)")
      let anonymous = await starting(kafka.url(port: kafka.loginPort))
      #expect(anonymous.contains("SASL") || anonymous.contains("security.protocol"), "\(anonymous)")
      let wrong = await starting(kafka.url(port: kafka.loginPort, user: ("app", "wrong")))
      #expect(wrong.contains("password") && !wrong.contains("wrong@"), "\(wrong)")
      let mechanism = await starting(
        kafka.url(port: kafka.loginPort, user: ("app", "p%40ss%2Fword"), "sasl.mechanism=SCRAM-SHA-256"))
      #expect(mechanism.contains("sasl.mechanism"), "\(mechanism)")
    }
  }

  @Test("SCRAM works, or both causes are named where the library is too old for the broker")
  func scram() async throws {
    try await KafkaServer.with(scramOptions(on: .usual)) { kafka in
      let url = kafka.url(port: kafka.loginPort, user: ("app", "word"), "sasl.mechanism=SCRAM-SHA-256")
      do {
        try await check(url)
      } catch let error as BroadcastError {
        #expect(error.message.contains("password") && error.message.contains("2.6.1"), "\(error)")
      }
    }
  }

  @Test(
    "SCRAM works on Kafka 3",
    .enabled(if: KafkaInstallation.three.isThere, "KAFKA_HOME_3 names no Kafka of version 3 to try SCRAM on"))
  func scramOnThree() async throws {
    try await KafkaServer.with(scramOptions(on: .three)) { kafka in
      try await check(kafka.url(port: kafka.loginPort, user: ("app", "word"), "sasl.mechanism=SCRAM-SHA-256"))
    }
  }

  private func scramOptions(on installation: KafkaInstallation) -> KafkaServer.Options {
    var options = KafkaServer.Options()
    options.installation = installation
    options.mechanism = .scram
    options.users = ["app": "word"]
    return options
  }

  /// What is published arrives.
  private func check(_ url: String) async throws {
    try await withBroadcast(Broker.kafka.open(url, Events())) { broadcast in
      var deliveries = try await broadcast.subscribe(to: "secure").makeAsyncIterator()
      try await broadcast.publish("hello", to: "secure")
      #expect(try await deliveries.texts(upTo: "hello") == ["hello"])
    }
  }

  /// What all that was told on the way to the failure says.
  private func starting(_ url: String) async -> String {
    let events = Events()
    let start = ContinuousClock.now
    let error = await failure { try await Broker.kafka.open(url, events).run() }
    return "\(error?.description ?? "It has started.")\n\(events.transcript(since: start))"
  }
}
