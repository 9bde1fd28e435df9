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

  /// For a suite that needs all of them.
  static var areAllWanted: Bool { all.allSatisfy(\.isWanted) }
  static let absence: Comment = "Redis or PostgreSQL is missing"

  var testDescription: String { name }
  /// Whether tests that need a server of their own should run.
  var isWanted: Bool { tools.allSatisfy(\.isWanted) }

  func url(_ host: String, _ port: Int, password: String? = nil, database: String? = nil) -> String {
    let password = password.map { ":\($0)" } ?? ""
    let credentials = user + password
    return "\(scheme)://\(credentials)\(credentials.isEmpty ? "" : "@")\(host):\(port)/\(database ?? "")"
  }

  /// Runs `body` with the URL of a server, which may be shared with others.
  func withURL(_ body: (String) async throws -> Void) async throws {
    if let url = currentEnvironment()[variable] { return try await body(url) }
    try await withServer { server in try await body(server.url(port: server.port)) }
  }

  /// Runs `body` on a server of the test's own, behind a proxy.
  func withProxy(_ body: (any BrokerServer, FaultyProxy) async throws -> Void) async throws {
    try await withServer { server in
      try await FaultyProxy.with(to: server.port) { proxy in try await body(server, proxy) }
    }
  }
}
