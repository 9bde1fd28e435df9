//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a backend can carry, and how.
///
/// A program that must know reads it here instead of asking for the backend's name. The conformance suite is driven by
/// it too: what a backend says of itself is what it is tested for.
public struct Capabilities: Sendable, Hashable {
  /// How far the order of messages on one channel goes.
  public struct Ordering: Sendable, Hashable {
    private enum Value { case perPublisher, perChannel }
    private let value: Value

    /// The messages of one publisher arrive in the order in which it published them.
    public static let perPublisher = Ordering(value: .perPublisher)
    /// All subscribers, everywhere, see all messages of a channel in the same order. Includes ``perPublisher``.
    public static let perChannel = Ordering(value: .perChannel)
  }

  /// The largest payload in bytes, or nil where the backend has no limit of its own.
  public var maximumPayloadBytes: Int?

  public var ordering: Ordering

  /// Whether what was published before `subscribe` was called may still arrive after it has returned.
  public var mayDeliverEarlierMessages: Bool

  /// Whether payloads can hold any bytes.
  public var carriesBinary: Bool

  public var carriesHeaders: Bool

  /// Whether messages and receipts have a position in a log, those of channels with a history.
  public var hasPositions: Bool

  /// Whether channels can have a history: ``Broadcast/historyPolicy(of:)`` says which do.
  public var hasHistory: Bool

  /// Whether a subscription can be one to a ``ChannelPattern``.
  public var hasPatterns: Bool

  /// Whether it knows who is present on a channel: ``Broadcast/presence(of:)``.
  public var hasPresence: Bool

  public init(
    maximumPayloadBytes: Int? = nil, ordering: Ordering = .perPublisher, mayDeliverEarlierMessages: Bool = true,
    carriesBinary: Bool = true, carriesHeaders: Bool = true, hasPositions: Bool = false,
    hasHistory: Bool = false, hasPatterns: Bool = false, hasPresence: Bool = false
  ) {
    self.maximumPayloadBytes = maximumPayloadBytes
    self.ordering = ordering
    self.mayDeliverEarlierMessages = mayDeliverEarlierMessages
    self.carriesBinary = carriesBinary
    self.carriesHeaders = carriesHeaders
    self.hasPositions = hasPositions
    self.hasHistory = hasHistory
    self.hasPatterns = hasPatterns
    self.hasPresence = hasPresence
  }
}
