//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

/// A server that a test has started, of whichever kind.
protocol BrokerServer: Sendable {
  var port: Int { get }
  /// Where a proxy leads to, and on which port it must listen; 0 for any.
  var upstreamPort: Int { get }
  var proxyPort: Int { get }
  /// The URL of the same server through another port, that of a proxy.
  func url(port: Int) -> String
  /// The URL of a way to the same messages which no proxy and no fault of this server touches.
  var witnessURL: String { get }
  /// Ends it as a crash would.
  func kill() async throws
  /// Starts it again, on the same port.
  func start() async throws
  /// It hangs from now on.
  func freeze()
  func thaw()
  /// Ends the connections of all clients.
  func endConnections() async throws
  /// Gives the user of its URL another password, of which a server that asks for none knows nothing.
  func changePassword(from old: String, to new: String) async throws
}

extension BrokerServer {
  var upstreamPort: Int { port }
  var proxyPort: Int { 0 }
  var witnessURL: String { url(port: port) }
}

extension RedisServer: BrokerServer {
  func endConnections() async throws {
    for type in ["pubsub", "normal"] { try await cli(["CLIENT", "KILL", "TYPE", type]) }
  }

  func changePassword(from old: String, to new: String) async throws {
    // Not those that log in with the new one at once: the greatest number of those before it is this command's own.
    let last = try #require(Int(try await cli(["--pass", old, "--no-auth-warning", "CLIENT", "ID"])))
    try await cli(["--pass", old, "--no-auth-warning", "CONFIG", "SET", "requirepass", new])
    let clients = try await cli(["--pass", new, "--no-auth-warning", "CLIENT", "LIST"])
    for client in clients.split(separator: "\n") {
      guard let id = client.split(separator: " ").first?.dropFirst("id=".count), let number = Int(id),
        number < last
      else { continue }
      // One that ended meanwhile is an error for nobody.
      _ = try? await cli(["--pass", new, "--no-auth-warning", "CLIENT", "KILL", "ID", String(number)])
    }
  }
}

extension PostgresServer: BrokerServer {
  func url(port: Int) -> String { url(port: port, database: "postgres") }

  func endConnections() async throws {
    try await psql(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
      """)
  }

  func changePassword(from old: String, to new: String) async throws {
    // Not those that log in with the new one at once: `now()` is the time before it.
    try await psql(
      """
      BEGIN; ALTER USER postgres PASSWORD '\(new)'; COMMIT;
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND backend_start < now()
      """)
  }
}
