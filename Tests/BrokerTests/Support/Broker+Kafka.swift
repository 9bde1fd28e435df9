//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingKafka
import TestSupport
import Testing

extension Broker {
  /// All channels in one topic.
  static let kafka = kafka("Kafka", takesAnyName: true)
  /// Each channel is a topic, as foreign programs know it.
  static let kafkaTopics = kafka("Kafka, with a topic for each channel", takesAnyName: false)

  private static func kafka(_ name: String, takesAnyName: Bool) -> Broker {
    let options: @Sendable () -> String = {
      // Nobody else's on a server of all tests.
      takesAnyName ? "topic=everything-\(UInt64.random(in: 0 ... .max))" : ""
    }
    return Broker(
      name: name, tools: [.kafka, .java], variable: "BROADCAST_TEST_KAFKA_URL", listeningWords: ".consumer",
      serve: { isHurt, body in
        if isHurt {
          try await KafkaServer.with { try await body(KafkaPlace($0, options())) }
        } else {
          let server = try await KafkaServer.shared
          try await server.withProxyPorts { upstream, proxy in
            try await body(KafkaPlace(server, options(), upstreamPort: upstream, proxyPort: proxy))
          }
        }
      },
      withPassword: { password, body in
        var serverOptions = KafkaServer.Options()
        serverOptions.users = [KafkaPlace.user: password]
        try await KafkaServer.with(serverOptions) { try await body(KafkaPlace($0, options(), password: password)) }
      },
      scheme: "kafka", user: KafkaPlace.user, keepsMessages: true, takesAnyName: takesAnyName, hasDatabases: false,
      tellsOfMissingPassword: false,
      open: { url, events in
        try BroadcastBackend.open(url, among: [.kafka(KafkaBroadcast.Configuration { events.append($0) })])
      })
  }
}

/// A server, and what a test has on it to itself.
private struct KafkaPlace: BrokerServer {
  static let user = "app"
  private let server: KafkaServer
  private let options: String
  private let password: String?
  let upstreamPort: Int
  let proxyPort: Int

  init(_ server: KafkaServer, _ options: String, upstreamPort: Int, proxyPort: Int) {
    self.server = server
    self.options = options
    self.upstreamPort = upstreamPort
    self.proxyPort = proxyPort
    password = nil
  }

  /// The server is the test's own.
  init(_ server: KafkaServer, _ options: String, password: String? = nil) {
    self.server = server
    self.options = options
    self.password = password
    (upstreamPort, proxyPort) = server.firstProxyPorts
  }

  var port: Int { password == nil ? server.port : server.loginPort }
  func url(port: Int) -> String {
    server.url(port: port, user: password.map { (Self.user, $0) }, options)
  }

  func kill() async throws { try await server.kill() }
  func start() async throws { try await server.start() }
  func freeze() { server.freeze() }
  func thaw() { server.thaw() }

  /// As brokers do that are updated one after the other.
  func endConnections() async throws {
    try await server.stopInOrder()
    try await server.start()
  }

  func changePassword(from old: String, to new: String) async throws {
    try await server.setPassword(new, of: Self.user)
  }
}
