//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Counters at one moment.
///
/// They are gathered when asked for, channel by channel, so they need not fit each other to the last message.
public struct BroadcastStatistics: Sendable, Hashable {
  /// Whether publishing and subscribing work now: `run()` runs, and the broker is connected.
  public var isAvailable = false
  /// Channels which somebody here is subscribed to.
  public var channels = 0
  /// Patterns which somebody here is subscribed to.
  public var patterns = 0
  /// Subscriptions, counted once for each of their channels, or for their pattern.
  public var subscribers = 0
  /// Messages that this program has published.
  public var published = 0
  /// Messages handed to readers, counted for each reader.
  public var delivered = 0
  /// Messages that readers missed, as far as they could be counted.
  public var dropped = 0
  /// Gaps handed to readers, counted for each reader: one for each place where messages are missing.
  public var gaps = 0
  /// Bytes in all buffers now.
  public var bytesHeld = 0
  /// How often the broker was connected again after a connection was lost, whether or not anything was missed.
  public var reconnects = 0
  /// How long the last probe of the connection took, from its publishing to its arrival where messages arrive. Nil while
  /// none has come back in this connection, and where a backend sends none.
  public var probeDelay: Duration?
  /// Messages that were missed with a lost connection and read from the history then, so that there was no gap.
  public var filled = 0
  /// Messages that the histories in this program hold now.
  public var historyMessages = 0
  /// Their bytes, which are among ``bytesHeld``.
  public var historyBytes = 0
  /// Messages without a position that arrived on channels with a history: another program publishes there and keeps none.
  public var unrecorded = 0
  /// Members that are present by this program, counted for each of their channels.
  public var presenceMembers = 0
  /// Channels of which somebody here watches who is present.
  public var presenceWatched = 0

  public init() {}
}
