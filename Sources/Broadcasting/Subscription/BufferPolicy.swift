//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How much a subscription buffers for each of its channels, or for its pattern, and what happens when that is full.
///
/// The buffer is shared by all who read a channel, so a large one costs memory only where somebody is behind. The newest
/// message is kept even when it alone is over the limit of bytes.
public struct BufferPolicy: Sendable, Hashable {
  /// What a full buffer does.
  public enum Overflow: Sendable, Hashable {
    /// The oldest messages go, and a ``Gap`` with their count takes their place.
    case dropOldest
    /// The subscription ends with ``BroadcastError/Code/fellBehind``.
    case fail
  }

  public static let defaultMaximumMessages = 1_024
  public static let defaultMaximumBytes = 4 * 1_024 * 1_024

  public let overflow: Overflow

  /// Messages for each channel, at least 1.
  public let maximumMessages: Int

  /// Bytes for each channel: payloads and headers, and 64 for each message and header.
  public let maximumBytes: Int

  private init(overflow: Overflow, maximumMessages: Int, maximumBytes: Int) {
    self.overflow = overflow
    self.maximumMessages = max(1, maximumMessages)
    self.maximumBytes = max(1, maximumBytes)
  }

  /// The oldest messages go, with 1,024 messages and 4 MiB.
  public static let dropOldest = dropOldest()

  /// The subscription fails, with 1,024 messages and 4 MiB.
  public static let fail = fail()

  /// Limits below 1 are taken as 1.
  public static func dropOldest(
    maximumMessages: Int = defaultMaximumMessages, maximumBytes: Int = defaultMaximumBytes
  ) -> BufferPolicy {
    BufferPolicy(overflow: .dropOldest, maximumMessages: maximumMessages, maximumBytes: maximumBytes)
  }

  /// Limits below 1 are taken as 1.
  public static func fail(
    maximumMessages: Int = defaultMaximumMessages, maximumBytes: Int = defaultMaximumBytes
  ) -> BufferPolicy {
    BufferPolicy(overflow: .fail, maximumMessages: maximumMessages, maximumBytes: maximumBytes)
  }

  var limits: LogLimits { LogLimits(maximumMessages: maximumMessages, maximumBytes: maximumBytes) }
}

/// How a subscription is made.
public struct SubscriptionOptions: Sendable, Hashable {
  /// The most channels that one subscription can have.
  public static let maximumChannels = 1_024

  /// It bounds what waits of live messages. Past ones, which ``start`` asks for, do not count.
  public var buffer: BufferPolicy

  /// Where it begins, in each of its channels.
  public var start: SubscriptionStart

  /// Where it begins in single channels of several; what is said here goes before ``start``. A channel that is
  /// none of those subscribed to is refused, with ``BroadcastError/Code/invalidPosition``.
  public var starts: [Channel: SubscriptionStart]

  public init(
    buffer: BufferPolicy = .dropOldest, start: SubscriptionStart = .live, starts: [Channel: SubscriptionStart] = [:]
  ) {
    self.buffer = buffer
    self.start = start
    self.starts = starts
  }

  package func start(of channel: Channel) -> SubscriptionStart {
    starts.isEmpty ? start : starts[channel] ?? start
  }
}
