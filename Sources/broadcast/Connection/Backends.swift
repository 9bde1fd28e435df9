//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import BroadcastingKafka
import BroadcastingNetwork
import BroadcastingPostgres
import BroadcastingRedis

/// The backends that the command can be told to use, all of them set up alike.
struct Backends {
  /// What holds for the hub of each. Given the backend's own, so that its other defaults stay.
  var setUp: (inout HubConfiguration) -> Void
  /// Bytes of a message that is sent.
  var maxMessage: Int
  /// Where they run. Each makes a loop of its own if nil.
  var loop: EventLoop?
  /// How long connecting may take; nil for the backend's own time.
  var connectTimeout: Duration?
  /// A file of authorities in place of the system's.
  var authorityFile: String?

  /// Bytes of a message where nothing is said: no more than the backend of this URL takes by default.
  static func usualMaxMessage(for url: String) -> Int {
    url.lowercased().hasPrefix("kafka:") ? KafkaBroadcast.Configuration().maximumMessageBytes : 1 << 20
  }

  /// How the URLs of brokers look, for the help.
  static let brokerURLs =
    "redis://[USER:PASSWORD@]HOST[:PORT], rediss://… for TLS, unix:///PATH for a socket of Redis,"
    + " postgres://[USER:PASSWORD@]HOST[:PORT]/DATABASE, kafka://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…][/?topic=NAME]"

  /// What a server can carry its messages by.
  var forServing: [BroadcastBackend] { [memory] + brokers }

  /// What a command can talk to: a running server, or a broker itself.
  func forClients(_ options: ConnectionOptions) -> [BroadcastBackend] { [remote(options)] + brokers }

  private var brokers: [BroadcastBackend] { [redis, postgres, kafka] }

  private var memory: BroadcastBackend {
    var hub = HubConfiguration()
    setUp(&hub)
    return .memory(hub)
  }

  private var redis: BroadcastBackend {
    var configuration = RedisBroadcast.Configuration()
    setUp(&configuration.hub)
    configuration.maximumMessageBytes = maxMessage
    if let connectTimeout { configuration.connectTimeout = connectTimeout }
    if let authorityFile { configuration.tls.trust = .file(authorityFile) }
    configuration.loop = loop
    return .redis(configuration)
  }

  private var postgres: BroadcastBackend {
    var configuration = PostgresBroadcast.Configuration()
    setUp(&configuration.hub)
    configuration.maximumMessageBytes = maxMessage
    if let connectTimeout { configuration.connectTimeout = connectTimeout }
    configuration.loop = loop
    return .postgres(configuration)
  }

  private var kafka: BroadcastBackend {
    var configuration = KafkaBroadcast.Configuration()
    setUp(&configuration.hub)
    configuration.maximumMessageBytes = maxMessage
    if let connectTimeout { configuration.connectTimeout = connectTimeout }
    if let authorityFile { configuration.properties["ssl.ca.location"] = authorityFile }
    configuration.loop = loop
    return .kafka(configuration)
  }

  private func remote(_ options: ConnectionOptions) -> BroadcastBackend {
    var configuration = RemoteBroadcast.Configuration()
    setUp(&configuration.hub)
    // It is the server that keeps messages.
    configuration.hub.history = []
    configuration.maximumMessageBytes = maxMessage
    configuration.connectTimeout = options.timeout
    configuration.requestTimeout = options.timeout
    for field in options.headers { configuration.headers.append(field.name, field.value) }
    if let authorityFile { configuration.tls.trust = .file(authorityFile) }
    configuration.loop = loop
    return .remote(configuration)
  }
}
