//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a subscription gives: a message, or the news that some are missing.
public enum Delivery: Sendable, Equatable {
  case message(Message)

  /// Messages of a channel were missed here, between the deliveries before and after this one.
  case gap(Gap)
}

/// A place in a channel, or among what matches a pattern, where messages are missing for one subscription.
public struct Gap: Sendable {
  /// Why messages are missing. More reasons may be added.
  public struct Reason: Sendable, Hashable, CustomStringConvertible {
    private enum Value: String {
      case slowConsumer, connectionLost, memoryLimit, brokerLoss, historyTrimmed, historyRestarted
    }
    private let value: Value

    /// The subscription read slower than its channel was published to, and its buffer was full.
    public static let slowConsumer = Reason(value: .slowConsumer)
    /// The connection to the broker was lost, and is back. Where the broker then refuses the channel, nothing comes until
    /// a second gap says that it does no more.
    public static let connectionLost = Reason(value: .connectionLost)
    /// All buffers together reached their limit; the oldest content went first.
    public static let memoryLimit = Reason(value: .memoryLimit)
    /// The broker, or the server, no longer has the messages or can't deliver them: they were too many or too large, or were
    /// deleted.
    public static let brokerLoss = Reason(value: .brokerLoss)
    /// The channel's history no longer has them: its limits took them before they were read. They are counted.
    public static let historyTrimmed = Reason(value: .historyTrimmed)
    /// The channel's history began anew, in another epoch: the broker was emptied, restarted, or replaced by another. What
    /// stood at the end of the old one may be lost.
    public static let historyRestarted = Reason(value: .historyRestarted)

    public var description: String { value.rawValue }
  }

  // A reference, because gaps are rare and deliveries many: with it a `Delivery` is as wide as a pointer.
  private let storage: Storage

  private final class Storage: Sendable {
    let channel: Channel
    let pattern: ChannelPattern?
    let missed: Int?
    let reason: Reason

    init(channel: Channel, pattern: ChannelPattern?, missed: Int?, reason: Reason) {
      self.channel = channel
      self.pattern = pattern
      self.missed = missed
      self.reason = reason
    }
  }

  public init(channel: Channel, missed: Int?, reason: Reason) {
    storage = Storage(channel: channel, pattern: nil, missed: missed, reason: reason)
  }

  /// A gap in a subscription to a pattern.
  public init(pattern: ChannelPattern, missed: Int?, reason: Reason) {
    storage = Storage(channel: Channel(pattern.glob), pattern: pattern, missed: missed, reason: reason)
  }

  /// The channel whose messages are missing. Where ``pattern`` is set these may be of any channel that matches it, and this
  /// has the pattern's text for a name.
  public var channel: Channel { storage.channel }

  /// The pattern whose messages are missing, in a subscription to one.
  public var pattern: ChannelPattern? { storage.pattern }

  /// How many messages are missing, or nil when nobody can know (a lost connection).
  public var missed: Int? { storage.missed }

  public var reason: Reason { storage.reason }
}

extension Gap: Equatable {
  public static func == (left: Gap, right: Gap) -> Bool {
    left.topic == right.topic && left.missed == right.missed && left.reason == right.reason
  }
}

extension Gap: CustomStringConvertible {
  public var description: String {
    "Gap(\(pattern == nil ? "channel" : "pattern"): \(channel), missed: \(missed.map(String.init) ?? "unknown"), reason: \(reason))"
  }
}
