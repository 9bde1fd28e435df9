//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingRedis

/// Where it is measured.
enum Place: Sendable {
  case memory
  case redis(String)

  var name: String {
    switch self {
    case .memory: "memory"
    case .redis: "Redis"
    }
  }

  /// Messages of one measurement of publishing.
  var messages: Int {
    switch self {
    case .memory: 1_000_000
    case .redis: 100_000
    }
  }

  /// Members who join and leave in one measurement of presence.
  var changes: Int {
    switch self {
    case .memory: 50_000
    case .redis: 2_000
    }
  }

  /// Runs `body` with a broadcast of this place, with or without a history of 100 messages for each channel.
  func withBroadcast<Result>(
    keeping: Bool, _ body: (any Broadcast) async throws -> Result
  ) async throws -> Result {
    var hub = HubConfiguration()
    hub.presence.maximumMembers = 2 * Presence.many
    if keeping { hub.history = [.init("*", HistoryPolicy(maximumMessages: 100))] }
    switch self {
    case .memory:
      return try await Broadcasting.withBroadcast(MemoryBroadcast(configuration: hub)) { try await body($0) }
    case .redis(let url):
      var configuration = RedisBroadcast.Configuration()
      configuration.hub = hub
      return try await Broadcasting.withBroadcast(try RedisBroadcast(url, configuration: configuration)) {
        try await body($0)
      }
    }
  }
}
