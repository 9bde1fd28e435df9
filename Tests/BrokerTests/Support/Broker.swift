//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
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
  /// Makes a broadcast with the backend, which has not been run.
  var open: @Sendable (_ url: String, _ events: Events) throws -> any Broadcast

  static let all = [remote]

  static let remote = Broker(
    name: "server", tools: [], variable: "X", listeningWords: "GET /events",
    withServer: { body in try await RemoteServer.with { try await body($0) } },
    open: { url, events in
      var configuration = RemoteBroadcast.Configuration { events.append($0) }
      configuration.hub.connectPatience = .seconds(10)
      return try BroadcastBackend.open(url, among: [.remote(configuration)])
    })

  var testDescription: String { name }
  var isWanted: Bool { tools.allSatisfy(\.isWanted) }

  /// Runs `body` on a server of the test's own, behind a proxy.
  func withProxy(_ body: (any BrokerServer, FaultyProxy) async throws -> Void) async throws {
    try await withServer { server in
      try await FaultyProxy.with(to: server.port) { proxy in try await body(server, proxy) }
    }
  }
}

/// A server that a test has started.
protocol BrokerServer: Sendable {
  var port: Int { get }
  /// The URL of the same server through another port, that of a proxy.
  func url(port: Int) -> String
  func kill() async throws
  func start() async throws
  func freeze()
  func thaw()
}

final class RemoteServer: BrokerServer {
  let process = Lock<ServerProcess?>(nil)
  let port: Int
  init() async throws {
    let p = try await ServerProcess()
    port = p.port
    process.withLock { $0 = p }
  }
  static func with(_ body: (RemoteServer) async throws -> Void) async throws {
    try await body(try await RemoteServer())
  }
  func url(port: Int) -> String { "http://127.0.0.1:\(port)" }
  func kill() async throws { try await process.withLock { $0 }?.kill() }
  func start() async throws {
    let p = try await ServerProcess(port: port)
    process.withLock { $0 = p }
  }
  func freeze() {}
  func thaw() {}
}
