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
  static func quick(_ events: Events? = nil) -> Self {
    var configuration = Self { event in events?.append(event) }
    configuration.hub.hurry()
    return configuration
  }
}

func withClient(
  _ url: String, _ configuration: RemoteBroadcast.Configuration = .quick(),
  _ body: (RemoteBroadcast) async throws -> Void
) async throws {
  try await withConnected(RemoteBroadcast(url, configuration: configuration), body)
}
