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
  @Test("TLS with a certificate that is checked, a login, and both; what is wrong is said")
  func tlsAndLogin() async throws {
    var options = KafkaServer.Options()
    options.users = ["app": "p@ss/word"]
    let certificates = try TestCertificates()
    let others = try TestCertificates()
    options.certificates = certificates
    try await KafkaServer.with(options) { kafka in
      let user = ("app", "p%40ss%2Fword")
      let secure = "security.protocol=ssl"
      let trusting = "\(secure)&ssl.ca.location=\(certificates.authority)"
      try await check(kafka.url(port: kafka.securePort, trusting))
      try await check(kafka.url(port: kafka.loginPort, user: user))
      try await check(kafka.url(port: kafka.secureLoginPort, user: user, trusting))

      let mistrusting = "\(secure)&ssl.ca.location=\(others.authority)"
      await expect([
        (kafka.url(port: kafka.securePort, secure), ["certificate"]),
        (kafka.url(port: kafka.securePort, mistrusting), ["certificate"]),
        (kafka.url(port: kafka.secureLoginPort, user: user, mistrusting), ["certificate"]),
        // The same machine, by a name for which the certificate does not hold.
        ("kafka://127.1:\(kafka.securePort)/?\(trusting)", ["certificate"]),
        (kafka.url(port: kafka.securePort), ["security.protocol"]),
        (kafka.url(port: kafka.loginPort), ["SASL", "security.protocol"]),
        (kafka.url(port: kafka.loginPort, user: ("app", "wrong")), ["password"]),
        (kafka.url(port: kafka.secureLoginPort, user: ("app", "wrong"), trusting), ["password"]),
        (kafka.url(port: kafka.loginPort, user: user, "sasl.mechanism=SCRAM-SHA-256"), ["sasl.mechanism"]),
      ])
    }
  }

  @Test("SCRAM works, with TLS too, or both causes are named where the library is too old for the broker")
  func scram() async throws {
    var options = scramOptions(on: .usual)
    let certificates = try TestCertificates()
    options.certificates = certificates
    try await KafkaServer.with(options) { kafka in
      let scram = "sasl.mechanism=SCRAM-SHA-256"
      for url in [
        kafka.url(port: kafka.loginPort, user: ("app", "word"), scram),
        kafka.url(
          port: kafka.secureLoginPort, user: ("app", "word"),
          "\(scram)&security.protocol=ssl&ssl.ca.location=\(certificates.authority)"),
      ] {
        do {
          try await check(url)
        } catch let error as BroadcastError {
          #expect(error.message.contains("password") && error.message.contains("2.6.1"), "\(error)")
        }
        await expect([(url.replacing("word@", with: "wrong@"), ["password"])])
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

  /// Who starts with one of the URLs is told one of the words beside it, by the error or on the way to it.
  private func expect(_ refusals: [(url: String, words: [String])]) async {
    await withTaskGroup { group in
      for refusal in refusals {
        group.addTask {
          let events = Events()
          let start = ContinuousClock.now
          let error = await failure { try await Broker.kafka.open(refusal.url, events).run() }
          let text = "\(error?.description ?? "It has started.")\n\(events.transcript(since: start))"
          #expect(refusal.words.contains { text.contains($0) }, "\(refusal.url): \(text)")
          #expect(!text.contains(":wrong"), "\(text)")
        }
      }
    }
  }
}
