//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@_exported public import Broadcasting
import BroadcastingBroker

/// A broadcast over a Redis server, by its PUBLISH and SUBSCRIBE.
///
/// The promises are those of every `Broadcast`. In particular:
/// - When `subscribe` returns, the server has confirmed it.
/// - When `publish` returns, the server has handed the message to the connections of all who are subscribed. A message is sent
///   once: whether one that failed may have arrived all the same is in `outcome`.
/// - Redis keeps no message, but those of channels with a history (`configuration.hub.history`). Who is not connected just then
///   misses it, and is told by a `Gap` when it is back. The same holds for a subscriber whom the server cuts because it
///   reads too slowly.
/// - A dead connection is noticed within 10 s, also one that only seems to be alive, by a probe every 3 s. It comes back by
///   itself, at first soon and then up to every 2 s.
/// - Any payload and any channel name go over the wire as they are, so `redis-cli` and programs in any language on the same
///   server hear them, and are heard.
///
/// A channel is the same in all databases of a server: the one that the URL names must exist, and divides nothing but
/// histories.
public struct RedisBroadcast: Broadcast {
  private let hub: Hub
  let driver: BrokerDriver

  /// Makes a broadcast over the server at a URL. It begins to connect with ``run()``.
  ///
  /// - Parameters:
  ///   - url: `redis://user:password@host:port/database`, with TLS `rediss://…`, or `unix:///path/to.sock?db=database`. What
  ///     is left out is `localhost`, 6379, the user "default" without a password, and database 0. In a user and a password
  ///     the characters `%`, `@`, `:`, `/` and `?` are percent-encoded.
  ///   - configuration: How it behaves.
  /// - Throws: An error with the code `invalidURL`, which says what is wrong and repeats no password.
  public init(_ url: String, configuration: Configuration = .init()) throws(BroadcastError) {
    try self.init(BackendURL(url), configuration)
  }

  init(_ url: BackendURL, _ configuration: Configuration) throws(BroadcastError) {
    guard RedisURL.schemes.contains(url.scheme) else {
      throw BroadcastError(.invalidURL, "\(url): the scheme of a Redis server is redis, rediss or unix.")
    }
    var configuration = configuration
    // What an envelope adds, and the command, have room beside it.
    configuration.maximumMessageBytes = min(configuration.maximumMessageBytes, ReplyReader.maximumBytes - 1024 * 1024)
    configuration.maximumReceivedBytes = min(
      max(configuration.maximumReceivedBytes, configuration.maximumMessageBytes + 1024 * 1024), ReplyReader.maximumBytes
    )
    try KeyNames.validate(prefix: configuration.keyPrefix)
    let hasHistory = !configuration.hub.history.isEmpty
    let dialer = RedisDialer(try RedisURL(url), configuration)
    let capabilities = Capabilities(
      maximumPayloadBytes: configuration.maximumMessageBytes, ordering: .perPublisher, mayDeliverEarlierMessages: true,
      carriesBinary: true, carriesHeaders: true, hasPositions: hasHistory, hasHistory: hasHistory, hasPatterns: true,
      hasPresence: true)
    driver = BrokerDriver(capabilities, on: configuration.loop, callsAtOnce: 16_384) {
      [configuration] mailbox, loop in RedisConnection(dialer, configuration, mailbox, on: loop)
    }
    var hubConfiguration = configuration.hub
    hubConfiguration.maximumMessageBytes = min(hubConfiguration.maximumMessageBytes, ReplyReader.maximumBytes)
    hub = Hub(driver: driver, configuration: hubConfiguration)
  }

  public var capabilities: Capabilities { hub.capabilities }
  public var statistics: BroadcastStatistics { hub.statistics }

  public func run() async throws(BroadcastError) { try await driver.run(hub) }

  @discardableResult
  public func publish(_ message: Message) async throws(BroadcastError) -> Receipt {
    do throws(BroadcastError) { return try await hub.publish(message) } catch { try Self.checkIsOver(error) }
    return try await hub.publish(message)
  }

  @discardableResult
  public func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    do throws(BroadcastError) { return try await hub.publish(messages) } catch { try Self.checkIsOver(error) }
    return try await hub.publish(messages)
  }

  /// Returns where the server had lost the script for histories, and nothing was published: it is being loaded again, so that
  /// the same will succeed now.
  private static func checkIsOver(_ error: BroadcastError) throws(BroadcastError) {
    guard error.underlying is RedisError.ScriptIsMissing, error.outcome == .notSent else { throw error }
  }

  public func historyPolicy(of channel: Channel) -> HistoryPolicy? { hub.historyPolicy(of: channel) }

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

  public func subscribe(
    to pattern: ChannelPattern, options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    try await hub.subscribe(to: pattern, options: options)
  }

  public func enterPresence(
    on channel: Channel, as member: PresenceMember
  ) async throws(BroadcastError) -> PresenceEntry {
    try await hub.enterPresence(on: channel, as: member)
  }

  public func presence(of channel: Channel) async throws(BroadcastError) -> [PresenceMember] {
    try await hub.presence(of: channel)
  }

  public func presenceUpdates(of channel: Channel) async throws(BroadcastError) -> PresenceUpdates {
    try await hub.presenceUpdates(of: channel)
  }
}

extension BroadcastBackend {
  /// `redis://`, `rediss://`, `unix://`: over a Redis server.
  public static let redis = redis()

  /// `redis://`, `rediss://`, `unix://`: over a Redis server, configured.
  public static func redis(_ configuration: RedisBroadcast.Configuration = .init()) -> BroadcastBackend {
    BroadcastBackend(schemes: RedisURL.schemes) { url throws(BroadcastError) in
      try RedisBroadcast(url, configuration)
    }
  }
}
