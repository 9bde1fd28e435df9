//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import BroadcastingRedis
import Testing

/// Returns once it has come so far. The test's time limit is the limit of this.
///
/// It looks again and again, for what nobody tells.
func settle(_ isReached: () async throws -> Bool) async throws {
  while !(try await isReached()) { try await Task.sleep(for: .milliseconds(2)) }
}

/// What a backend told.
final class Events: Sendable {
  private let events = Lock([BroadcastEvent]())
  var all: [BroadcastEvent] { events.withLock { $0 } }
  func append(_ event: BroadcastEvent) { events.withLock { $0.append(event) } }
  func count(_ kind: BroadcastEvent.Kind) -> Int { all.count { $0.kind == kind } }
}

extension RedisBroadcast.Configuration {
  /// For tests: it comes back soon.
  static func quick(_ events: Events? = nil) -> Self {
    var configuration = Self { event in events?.append(event) }
    configuration.hub.shortestReconnectDelay = .milliseconds(5)
    configuration.hub.longestReconnectDelay = .milliseconds(50)
    configuration.hub.connectPatience = .zero
    return configuration
  }
}

/// Runs a backend while `body` runs, once it has its connection.
func withRedis(
  _ url: String, _ configuration: RedisBroadcast.Configuration = .quick(),
  _ body: (RedisBroadcast) async throws -> Void
) async throws {
  try await withBroadcast(RedisBroadcast(url, configuration: configuration)) { broadcast in
    try await settle { broadcast.statistics.isAvailable }
    try await body(broadcast)
  }
}

/// Why a backend does not start.
func refusal(_ url: String, _ change: (inout RedisBroadcast.Configuration) -> Void = { _ in }) async throws
  -> BroadcastError?
{
  var configuration = RedisBroadcast.Configuration.quick()
  change(&configuration)
  let broadcast = try RedisBroadcast(url, configuration: configuration)
  return await failure { try await broadcast.run() }
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

/// Reads a subscription as texts.
final class TextReader {
  private var iterator: Subscription.Iterator

  init(_ subscription: Subscription) { iterator = subscription.makeAsyncIterator() }

  /// The next text, or "gap".
  func next() async throws -> String? {
    switch try await iterator.next() {
    case .message(let message): message.text
    case .gap: "gap"
    case nil: nil
    }
  }
}
