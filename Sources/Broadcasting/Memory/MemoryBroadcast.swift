//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Publishing and subscribing within one process.
///
/// When `publish` returns, the message is in the buffer of every subscriber. All subscribers of a channel see its messages
/// in the same order, and nothing from before their subscription. While somebody is subscribed to a pattern, publishers to
/// all channels take turns for that.
///
/// Channels with a history (``HubConfiguration/history``) keep their last messages in this process, and no longer than it
/// lives.
public struct MemoryBroadcast: Broadcast {
  private let hub: Hub

  public init(configuration: HubConfiguration = .init()) { hub = Hub(configuration: configuration) }

  public var capabilities: Capabilities { hub.capabilities }
  public var statistics: BroadcastStatistics { hub.statistics }

  public func run() async throws(BroadcastError) { try await hub.run() }

  @discardableResult
  public func publish(_ message: Message) async throws(BroadcastError) -> Receipt { try await hub.publish(message) }

  @discardableResult
  public func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    try await hub.publish(messages)
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
  /// `memory://`: within this process.
  public static let memory = memory()

  /// `memory://`, configured.
  public static func memory(_ configuration: HubConfiguration = .init()) -> BroadcastBackend {
    BroadcastBackend(schemes: ["memory"]) { url throws(BroadcastError) in
      guard url.rest.isEmpty else {
        throw BroadcastError(.invalidURL, "\(url): memory:// takes nothing behind it, since it connects to nothing.")
      }
      return MemoryBroadcast(configuration: configuration)
    }
  }
}
