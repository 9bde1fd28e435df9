//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingRedis
import TestSupport

extension RedisBroadcast.Configuration {
  static func quick(_ events: Events? = nil) -> Self {
    var configuration = Self { event in events?.append(event) }
    configuration.hub.hurry()
    return configuration
  }

  /// With a history for the channels of a pattern.
  static func keeping(
    _ pattern: String, _ policy: HistoryPolicy = .init(), _ events: Events? = nil
  ) -> Self {
    var configuration = quick(events)
    configuration.hub.history = [.init(ChannelPattern(pattern), policy)]
    return configuration
  }
}

func withRedis(
  _ url: String, _ configuration: RedisBroadcast.Configuration = .quick(),
  _ body: (RedisBroadcast) async throws -> Void
) async throws {
  try await withConnected(RedisBroadcast(url, configuration: configuration), body)
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
