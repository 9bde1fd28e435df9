//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@_exported public import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// A broadcast over PostgreSQL's LISTEN and NOTIFY.
///
/// It needs nothing in the database: no table, no extension, no right but to connect. One connection listens to all channels,
/// a second one publishes. The promises are those of every `Broadcast`. In particular:
/// - When `subscribe` returns, the database listens. A message that was published before may still arrive.
/// - When `publish` returns, the transaction of the message is committed, and every session that listens gets it. All
///   subscribers everywhere see the messages of a channel in the same order.
/// - PostgreSQL keeps no message for who is not connected. What is published while a connection is lost is missed, and told
///   as a `Gap`. A line that went dead without a word is noticed within 10 s.
/// - Text is on the wire as it is, so `LISTEN`, `NOTIFY` and `pg_notify` of any program join in.
///
/// See <doc:MessagesThroughADatabase> for what goes over the wire, limits and production.
public struct PostgresBroadcast: Broadcast {
  private let hub: Hub
  private let driver: BrokerDriver

  /// Makes a broadcast over a database. It begins to connect with ``run()``.
  ///
  /// - Parameters:
  ///   - url: `postgres` or `postgresql`, as libpq has it: `postgres://user:password@host:port/database?parameters`. What the
  ///     URL leaves open is taken from libpq's environment variables (`PGHOST` and others), service file and password file.
  ///   - configuration: How it behaves.
  /// - Throws: An error with the code `invalidURL`. It never repeats a password.
  public init(_ url: String, configuration: Configuration = .init()) throws(BroadcastError) {
    try self.init(BackendURL(url), configuration)
  }

  init(_ url: BackendURL, _ configuration: Configuration) throws(BroadcastError) {
    let postgres = try PostgresURL(url)
    let capabilities = Capabilities(
      maximumPayloadBytes: configuration.maximumMessageBytes, ordering: .perChannel, mayDeliverEarlierMessages: true)
    driver = BrokerDriver(capabilities, on: configuration.loop, callsAtOnce: 16_384) { mailbox, loop in
      PostgresConnection(postgres, configuration, mailbox, on: loop)
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

  public func subscribe(
    to channels: [Channel], options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    try await hub.subscribe(to: channels, options: options)
  }
}

extension BroadcastBackend {
  /// `postgres://`, `postgresql://`: over a PostgreSQL database.
  public static let postgres = postgres()

  /// `postgres://`, `postgresql://`: over a PostgreSQL database, configured.
  public static func postgres(_ configuration: PostgresBroadcast.Configuration = .init()) -> BroadcastBackend {
    BroadcastBackend(schemes: ["postgres", "postgresql"]) { url throws(BroadcastError) in
      try PostgresBroadcast(url, configuration)
    }
  }
}
