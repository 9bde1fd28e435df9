//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Something that happened inside, for a log or a metric.
///
/// A configuration takes a closure which gets them. It is called on whatever thread found out, is never waited for
/// beyond its return, and never once for each message. Keep it short and do not block in it.
///
/// What happens to single channels and patterns (`connectionLost`, `retrying`, `refused`, `resubscribed`) may happen to
/// thousands at once. Of each of these kinds the first is told at once, and those that follow within a second as one event,
/// before the first of another kind or when the second is over: it has their `count`, and all else of the last of them.
public struct BroadcastEvent: Sendable {
  /// What happened. More kinds may be added, so a `switch` needs a `default`.
  public struct Kind: Sendable, Hashable, CustomStringConvertible {
    private enum Value: String {
      case running, connected, connectionLost, retrying, refused, resubscribed, filled, unrecorded, dropped, probeSlow,
        presenceRefilled, ended
    }
    private let value: Value

    /// `publish` and `subscribe` work from now on.
    public static let running = Kind(value: .running)
    /// The broker is connected.
    public static let connected = Kind(value: .connected)
    /// The connection to the broker is gone, or with `channel` or `pattern` the subscription to that alone; `error` says
    /// why.
    public static let connectionLost = Kind(value: .connectionLost)
    /// Connecting, or with `channel` or `pattern` subscribing to that, failed and is tried again after `delay`, or without
    /// one whenever the backend's library does.
    public static let retrying = Kind(value: .retrying)
    /// The broker said no to something that will be tried again, slowly; `error`, and maybe `channel` or `pattern`, say to
    /// what.
    public static let refused = Kind(value: .refused)
    /// After a lost connection or subscription, `count` channels and patterns are subscribed again.
    public static let resubscribed = Kind(value: .resubscribed)
    /// After a lost connection `count` messages were read from histories, so that nobody misses them.
    public static let filled = Kind(value: .filled)
    /// Messages without a position arrive on `channel`, which has a history: `count` of them so far. Another program publishes
    /// there without keeping them. Told with the first, and again whenever the count has doubled.
    public static let unrecorded = Kind(value: .unrecorded)
    /// A subscription missed messages of `channel` or `pattern`: `count` of them so far, as far as they could be counted. Told with
    /// the first, and again whenever the count has doubled.
    ///
    /// With an `error` messages were left out for what they are, such as too large: `count` of them on this connection. The last
    /// was of `channel`, or came by `pattern`, or both. A broker that has lost messages may be told so too, without
    /// a `count`.
    public static let dropped = Kind(value: .dropped)
    /// The broker is slow: a probe of the connection took `delay`, over a second. Told with the first, and again only after
    /// one that took less than half of that.
    public static let probeSlow = Kind(value: .probeSlow)
    /// The broker had lost who is present, or may have: the `count` members that are so by this program were told again.
    public static let presenceRefilled = Kind(value: .presenceRefilled)
    /// `run()` ends; `error` where it failed.
    public static let ended = Kind(value: .ended)

    public var description: String { value.rawValue }
  }

  public var kind: Kind
  public var channel: Channel?
  public var pattern: ChannelPattern?
  public var count: Int?
  public var delay: Duration?
  public var error: BroadcastError?

  public init(
    _ kind: Kind, channel: Channel? = nil, pattern: ChannelPattern? = nil, count: Int? = nil, delay: Duration? = nil,
    error: BroadcastError? = nil
  ) {
    self.kind = kind
    self.channel = channel
    self.pattern = pattern
    self.count = count
    self.delay = delay
    self.error = error
  }
}

extension BroadcastEvent: CustomStringConvertible {
  public var description: String {
    var text = kind.description
    if let channel { text += " channel=\(channel)" }
    if let pattern { text += " pattern=\(pattern)" }
    if let count { text += " count=\(count)" }
    if let delay { text += " delay=\(Self.wholeMilliseconds(delay))" }
    if let error { text += " error=\(error)" }
    return text
  }

  /// Pauses are at random, down to the attosecond.
  private static func wholeMilliseconds(_ delay: Duration) -> Duration {
    let (seconds, attoseconds) = delay.components
    return .seconds(seconds) + .milliseconds(attoseconds / 1_000_000_000_000_000)
  }
}
