//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@_exported public import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// A broadcast over a running server, from another program or another machine.
///
/// Publishing is a `POST` to the server's `/push` on a kept connection, and each channel that somebody subscribes to is a
/// WebSocket of its `/events`. The promises are those of every `Broadcast`. In particular:
/// - When `subscribe` returns, the server has subscribed.
/// - When `publish` returns, the server has handed the message to its backend. A message is sent once: whether one that
///   failed may have arrived all the same is in `outcome`.
/// - A lost connection, and a server that dropped messages because this end read too slowly, is a
///   `Gap`. A line that went dead without a word is noticed within 35 s.
/// - Where the server keeps a history of the channel, what was missed is read from that: then there is a `Gap` only for what
///   it no longer has.
/// - It comes back by itself, sooner at first and then up to every 5 s. A server that answers 503 or 429 with
///   `Retry-After` is sent nothing for that long, at most an hour, and a random tenth longer.
///
/// A server whose answer will not change (401, 403, 404, a page, a redirection) ends a starting ``run()`` at once.
public struct RemoteBroadcast: Broadcast {
  private let hub: Hub
  private let driver: BrokerDriver

  /// Makes a broadcast over the server at a URL. It begins to connect with ``run()``.
  ///
  /// - Parameters:
  ///   - url: `http`, `https`, `ws` or `wss`, and where the server's paths begin: `https://example.org/live` for a server
  ///     whose messages go to `/live/push`. A user and a password are sent as `Authorization: Basic`, a query with every
  ///     request.
  ///   - configuration: How it behaves.
  /// - Throws: An error with the code `invalidURL`, also for headers that can't be sent; `unsupportedHistory` for a
  ///   configuration that says what to keep, which is the server's to say.
  public init(_ url: String, configuration: Configuration = .init()) throws(BroadcastError) {
    try self.init(BackendURL(url), configuration)
  }

  init(_ url: BackendURL, _ configuration: Configuration) throws(BroadcastError) {
    guard configuration.hub.history.isEmpty else {
      throw BroadcastError(
        .unsupportedHistory, "It is the server that keeps histories. Configure them there, and leave out hub.history.")
    }
    let requests = try ServerRequests(ServerURL(url), configuration)
    let capabilities = Capabilities(
      maximumPayloadBytes: configuration.maximumMessageBytes, ordering: .perPublisher, mayDeliverEarlierMessages: true,
      carriesBinary: true, carriesHeaders: false, hasPositions: true, hasHistory: true,
      hasPatterns: false)
    driver = BrokerDriver(capabilities, on: configuration.loop) { loop in
      RemoteConnection(requests, configuration, on: loop)
    }
    var hubConfiguration = configuration.hub
    hubConfiguration.maximumMessageBytes = min(hubConfiguration.maximumMessageBytes, configuration.maximumMessageBytes)
    hub = Hub(driver: driver, configuration: hubConfiguration)
  }

  public var capabilities: Capabilities { hub.capabilities }
  public var statistics: BroadcastStatistics { hub.statistics }

  public func run() async throws(BroadcastError) { try await driver.run(hub) }

  @discardableResult
  public func publish(_ message: Message) async throws(BroadcastError) -> Receipt { try await hub.publish(message) }

  @discardableResult
  public func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    try await hub.publish(messages)
  }

  /// Nil: the server decides, channel by channel.
  public func historyPolicy(of channel: Channel) -> HistoryPolicy? { nil }

  public func history(
    of channel: Channel, from start: SubscriptionStart, limit: Int
  ) async throws(BroadcastError) -> History {
    try await hub.history(of: channel, from: start, limit: limit)
  }

  public func subscribe(
    to channels: [Channel], options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    try await hub.subscribe(to: channels, options: options)
  }
}

extension BroadcastBackend {
  /// `http://`, `https://`, `ws://`, `wss://`: over a running server.
  public static let remote = remote()

  /// `http://`, `https://`, `ws://`, `wss://`: over a running server, configured.
  public static func remote(_ configuration: RemoteBroadcast.Configuration = .init()) -> BroadcastBackend {
    BroadcastBackend(schemes: ["http", "https", "ws", "wss"]) { url throws(BroadcastError) in
      try RemoteBroadcast(url, configuration)
    }
  }
}
