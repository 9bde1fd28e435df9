//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

/// A kind of broker with the backend for it: what the suites, each written once, need to know of it.
struct Broker: Sendable, CustomTestStringConvertible {
  var name: String
  var tools: [Tool]
  /// The variable of the environment that names a server to use instead of one of the test's own.
  var variable: String
  /// What a connection says that listens, and none that publishes.
  var listeningWords: String
  /// Runs a server of the test's own; one of all tests may do where nobody hurts it.
  var serve: @Sendable (_ isHurt: Bool, _ body: (any BrokerServer) async throws -> Void) async throws -> Void
  /// Runs a server of the test's own that asks for a password, which is in its URL.
  var withPassword: @Sendable (_ password: String, _ body: (any BrokerServer) async throws -> Void) async throws -> Void
  /// The scheme and the user of its URLs.
  var scheme: String
  var user: String
  /// Whether what is published while a subscriber is away waits for it, so that a lost connection costs nothing.
  var keepsMessages = false
  /// Whether that is because channels have histories, which end where the server was restarted.
  var hasHistories = false
  /// Whether any text is a channel's name.
  var takesAnyName = true
  /// Whether a URL names a database.
  var hasDatabases = true
  /// Whether a server that asks for a password tells who comes without one.
  var tellsOfMissingPassword = true
  /// Makes a broadcast with the backend, which has not been run.
  var open: @Sendable (_ url: String, _ events: Events) throws -> any Broadcast

  static let all = [redis, postgres, kafka]
  /// The same, with channels as foreign programs know them.
  static let foreign = [redis, postgres, kafkaTopics]

  /// Those of which tests can have a server of their own.
  static var startable: [Broker] { all.filter(\.isStartable) }
  /// Those of which tests can have a server, be it one that others use too.
  static var reachable: [Broker] { all.filter { $0.isStartable || $0.sharedURL != nil } }

  /// Those that keep histories, where tests can have one.
  static var histories: [Broker] { redisHistory.isStartable ? [redisHistory] : [] }

  /// The one on which a channel is a topic, where tests can have it.
  static var topics: [Broker] { kafkaTopics.isStartable ? [kafkaTopics] : [] }
  static var startableForeign: [Broker] { foreign.filter(\.isStartable) }

  var testDescription: String { name }
  /// In continuous integration all of them are, so that an absence is a failure.
  var isStartable: Bool { tools.allSatisfy(\.isWanted) }
  private var sharedURL: String? { currentEnvironment()[variable] }

  func url(_ host: String, _ port: Int, password: String? = nil, database: String? = nil) -> String {
    let password = password.map { ":\($0)" } ?? ""
    let credentials = user + password
    return "\(scheme)://\(credentials)\(credentials.isEmpty ? "" : "@")\(host):\(port)/\(database ?? "")"
  }

  /// Runs `body` with the URL of a server, which may be shared with others.
  func withURL(_ body: (String) async throws -> Void) async throws {
    if let sharedURL { return try await body(sharedURL) }
    try await withServer(isHurt: false) { server in try await body(server.url(port: server.port)) }
  }

  /// Runs `body` on a server, which is the test's own if it is hurt.
  func withServer(isHurt: Bool = true, _ body: (any BrokerServer) async throws -> Void) async throws {
    try await serve(isHurt, body)
  }

  /// Runs `body` on a server behind a proxy. The server is the test's own if it is hurt.
  func withProxy(
    isHurt: Bool = true, _ body: (any BrokerServer, FaultyProxy) async throws -> Void
  ) async throws {
    try await withServer(isHurt: isHurt) { server in
      try await FaultyProxy.with(to: server.upstreamPort, on: server.proxyPort) { proxy in
        try await body(server, proxy)
      }
    }
  }
}
