//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Where a driver puts what comes from its broker.
///
/// Its calls never wait for a subscriber, so a driver can go on reading at once. It belongs to one session: after that
/// session has ended it ignores what it gets.
public struct DriverInbox: Sendable {
  let hub: Hub
  let session: Int

  /// The broker is connected: subscribing and publishing work now.
  public func connected() { hub.connected(session: session) }

  /// The broker is away, and with it publishing and subscribing, while the session goes on: the subscriptions stand, and
  /// nothing of theirs is missing when it is back. ``connected()`` ends it.
  ///
  /// For a driver that keeps its place in a log, or is given what came meanwhile. Subscribers get no gap for it; tell of
  /// what is missing all the same by ``missed(_:on:)``. New calls fail until ``connected()``. Those under way at the driver are
  /// its own to end. What arrives meanwhile is handed on.
  ///
  /// The first call is told as ``BroadcastEvent/Kind/connectionLost``. One with another reason is told as
  /// ``BroadcastEvent/Kind/retrying``, or as ``BroadcastEvent/Kind/refused`` where the error is not retriable. The same reason
  /// once more is ignored, as is a session that was not connected.
  ///
  /// - Parameter error: Why.
  public func suspended(because error: BroadcastError) { hub.suspended(because: error, session: session) }

  /// A message arrived.
  public func received(_ message: Message) { hub.received([message], on: message.channel, session: session) }

  /// Messages of one channel arrived together.
  public func received(_ messages: [Message], on channel: Channel) {
    guard !messages.isEmpty else { return }
    hub.received(messages, on: channel, session: session)
  }

  /// Deliveries of one channel arrived together: the form in which they are kept, so that nothing is made anew of them.
  package func received(deliveries: [Delivery], on channel: Channel) {
    guard !deliveries.isEmpty else { return }
    hub.received(deliveries: deliveries, on: channel, session: session)
  }

  /// Messages of one channel arrived because of a pattern. Where the channel is subscribed to by its name too, the broker sends
  /// them once more for that.
  public func received(_ messages: [Message], matching pattern: ChannelPattern) {
    guard !messages.isEmpty else { return }
    hub.received(messages, matching: pattern, session: session)
  }

  /// A probe of the connection has come back where messages arrive, so long after it was published. It is told by
  /// ``BroadcastStatistics/probeDelay``.
  public func probed(after delay: Duration) { hub.probed(after: delay, session: session) }

  /// Bytes arrived, plain or in an envelope.
  public func received(_ bytes: [UInt8], on channel: Channel, position: MessagePosition? = nil) {
    received(Envelope.decode(bytes, channel: channel, position: position))
  }

  /// The subscription to a channel has ended at the broker, while the session goes on. The hub asks for it again by
  /// ``BroadcastDriver/subscribe(to:)-(Channel)``, later and later each time, and then tells the channel's subscribers of a
  /// gap.
  ///
  /// Call it once for each subscription that ended without ``BroadcastDriver/unsubscribe(from:)-(Channel)``, also
  /// for one whose `subscribe` has not returned yet.
  ///
  /// - Parameters:
  ///   - channel: Whose subscription that was.
  ///   - error: Why. After one that is not retriable the hub waits the longest time at once.
  ///   - reason: What the gap will say.
  public func lost(
    _ channel: Channel, because error: BroadcastError, reason: Gap.Reason = .connectionLost
  ) { hub.lost(.channel(channel), because: error, reason: reason, session: session) }

  /// The same for the subscription to a pattern.
  public func lost(
    _ pattern: ChannelPattern, because error: BroadcastError, reason: Gap.Reason = .connectionLost
  ) { hub.lost(.pattern(pattern), because: error, reason: reason, session: session) }

  /// The broker dropped messages of a channel.
  ///
  /// - Parameters:
  ///   - missed: How many, or nil when nobody knows.
  ///   - channel: Whose subscribers are told.
  public func missed(_ missed: Int?, on channel: Channel) {
    hub.missed(missed, of: .channel(channel), session: session)
  }

  /// One message of a channel was left out, too large for one, and it has a position in the channel's history.
  public func missed(on channel: Channel, at position: MessagePosition) {
    hub.missed(at: position, on: channel, session: session)
  }

  /// An update of who is present on a watched channel arrived.
  public func presence(_ news: PresenceNews, on channel: Channel) {
    hub.heardPresence(news, on: channel, session: session)
  }

  /// The broker dropped messages that match a pattern.
  public func missed(_ missed: Int?, matching pattern: ChannelPattern) {
    hub.missed(missed, of: .pattern(pattern), session: session)
  }
}
