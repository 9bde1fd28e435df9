//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import TestSupport

extension Events {
  /// How many sessions were lost, and not single channels.
  var lostSessions: Int { all.count { $0.kind == .connectionLost && $0.channel == nil } }
}

extension RemoteBroadcast.Configuration {
  /// For tests: it comes back soon.
  static func quick(_ events: Events? = nil) -> Self {
    var configuration = Self { event in events?.append(event) }
    configuration.hub.shortestReconnectDelay = .milliseconds(5)
    configuration.hub.longestReconnectDelay = .milliseconds(100)
    configuration.hub.connectPatience = .zero
    return configuration
  }
}

/// Runs a client while `body` runs, once it has its connection.
func withClient(
  _ url: String, _ configuration: RemoteBroadcast.Configuration = .quick(),
  _ body: (RemoteBroadcast) async throws -> Void
) async throws {
  try await withBroadcast(RemoteBroadcast(url, configuration: configuration)) { client in
    try await settle { client.statistics.isAvailable }
    try await body(client)
  }
}
