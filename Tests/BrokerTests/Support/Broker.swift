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
  /// Runs a server of the test's own.
  var withServer: @Sendable (_ body: (any BrokerServer) async throws -> Void) async throws -> Void
  /// Runs a server of the test's own that asks for a password, which is in its URL.
  var withPassword: @Sendable (_ password: String, _ body: (any BrokerServer) async throws -> Void) async throws -> Void
  /// The scheme and the user of its URLs.
  var scheme: String
  var user: String
  /// Makes a broadcast with the backend, which has not been run.
  var open: @Sendable (_ url: String, _ events: Events) throws -> any Broadcast

  static let all = [redis, postgres]

  /// Those of which tests can have a server of their own.
  static var startable: [Broker] { all.filter(\.isStartable) }
  /// Those of which tests can have a server, be it one that others use too.
  static var reachable: [Broker] { all.filter { $0.isStartable || $0.sharedURL != nil } }

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
    try await withServer { server in try await body(server.url(port: server.port)) }
  }

  /// Runs `body` on a server of the test's own, behind a proxy.
  func withProxy(_ body: (any BrokerServer, FaultyProxy) async throws -> Void) async throws {
    try await withServer { server in
      try await FaultyProxy.with(to: server.port) { proxy in try await body(server, proxy) }
    }
  }
}
