//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import BroadcastingLocking
import Testing

/// Returns once it has come so far. The test's time limit is the limit of this.
///
/// It looks again and again, for what nobody tells.
func settle(_ isReached: () async throws -> Bool) async throws {
  while !(try await isReached()) { try await Task.sleep(for: .milliseconds(2)) }
}

/// What a client told.
final class Events: Sendable {
  private let events = Lock([BroadcastEvent]())
  var all: [BroadcastEvent] { events.withLock { $0 } }
  func append(_ event: BroadcastEvent) { events.withLock { $0.append(event) } }
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

/// The error with which a call fails.
func failure(of call: () async throws -> Void) async -> BroadcastError? {
  do {
    try await call()
    Issue.record("It did not fail.")
    return nil
  } catch {
    #expect(error is BroadcastError)
    return error as? BroadcastError
  }
}
