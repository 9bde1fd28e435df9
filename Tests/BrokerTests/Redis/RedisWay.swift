//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingRedis
import TestSupport
import Testing

/// How else than by plain TCP a Redis is reached.
enum RedisWay: String, CaseIterable, CustomTestStringConvertible {
  case tls = "TLS"
  case socket = "a Unix socket"

  var testDescription: String { rawValue }

  /// That broker. Witnesses of what comes over TLS have a connection without it.
  func broker() throws -> Broker {
    let way = self
    let certificates = try TestCertificates()
    var broker = Broker.redis
    broker.name = "Redis by \(rawValue)"
    broker.serve = { _, body in
      var options = RedisServer.Options()
      options.certificates = certificates
      options.hasUnixSocket = true
      try await RedisServer.with(options) { server in try await body(RedisByOtherWay(server, way)) }
    }
    broker.open = { url, events in
      var configuration = RedisBroadcast.Configuration { events.append($0) }
      configuration.tls.trust = .file(certificates.authority)
      return try BroadcastBackend.open(url, among: [.redis(configuration)])
    }
    return broker
  }
}

private struct RedisByOtherWay: BrokerServer {
  private let server: RedisServer
  private let way: RedisWay

  init(_ server: RedisServer, _ way: RedisWay) {
    self.server = server
    self.way = way
  }

  var port: Int {
    switch way {
    case .tls: server.securePort
    case .socket: server.port
    }
  }

  /// No proxy lies between a program and a Unix socket.
  func url(port: Int) -> String {
    switch way {
    case .tls: "rediss://127.0.0.1:\(port)"
    case .socket: "unix://\(server.socketPath)"
    }
  }

  var witnessURL: String { server.url }

  func kill() async throws { try await server.kill() }
  func start() async throws { try await server.start() }
  func freeze() { server.freeze() }
  func thaw() { server.thaw() }
  func endConnections() async throws { try await server.endConnections() }
  func changePassword(from old: String, to new: String) async throws {
    try await server.changePassword(from: old, to: new)
  }
}
