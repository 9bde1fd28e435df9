//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Publishes messages to channels, and gives every subscriber of a channel what is published to it.
///
/// What holds on every backend:
/// - When `subscribe` returns, you are subscribed: whatever is published after that arrives.
/// - When `publish` returns, the backend has the message. Otherwise it throws and says whether the message may have
///   arrived all the same (``BroadcastError/outcome``).
/// - Messages that one publisher publishes to one channel, each after the one before returned, arrive in this order.
/// - Nobody misses a message silently: a ``Gap`` stands where some are missing.
/// - Every buffer has a limit (``BufferPolicy``), and a slow subscriber delays nobody.
///
/// Nothing works before ``run()``, memory included: calls made earlier wait for it and for its first connection, 10 seconds
/// by default. Then they throw ``BroadcastError/Code/notRunning`` where nobody called it, or
/// ``BroadcastError/Code/unavailable`` where it has not reached its broker yet. After its end they throw
/// ``BroadcastError/Code/notRunning`` at once, with its error as ``BroadcastError/underlying`` where it failed.
///
/// Requirements that are added later come with a default, so that a type which conforms today goes on compiling.
public protocol Broadcast: Sendable {
  var capabilities: Capabilities { get }

  /// Counters at this moment.
  var statistics: BroadcastStatistics { get }

  /// Serves publishers and subscribers until the calling task is cancelled.
  ///
  /// Call it once, in a task beside the program. Its shape is the one that ServiceLifecycle's `Service` asks for. When it
  /// ends, every waiting call is woken and throws, and every subscription ends once its buffer is read.
  ///
  /// - Throws: When it cannot start. What happens to the broker after a first success does not end it.
  func run() async throws(BroadcastError)

  /// Publishes one message.
  ///
  /// - Returns: The message's position, where the backend has a log.
  /// - Throws: An error with an ``BroadcastError/outcome``.
  @discardableResult
  func publish(_ message: Message) async throws(BroadcastError) -> Receipt

  /// Publishes several messages, in their order, as one step where the backend can.
  ///
  /// All are checked before the first is sent: one that cannot be sent stops all of them.
  ///
  /// - Returns: A receipt for each message.
  /// - Throws: An error with an ``BroadcastError/outcome`` which holds for all of them.
  @discardableResult
  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt]

  /// Subscribes to one or several channels, in one sequence.
  ///
  /// Within a channel the order of messages holds, between channels it does not. A channel that is named twice counts
  /// once. The subscription ends when it is dropped or cancelled, when its reading task is cancelled, and with ``run()``.
  ///
  /// - Throws: When a name is invalid, there are too many, or the broker does not confirm. The next call tries again.
  func subscribe(to channels: [Channel], options: SubscriptionOptions) async throws(BroadcastError) -> Subscription

  /// Subscribes to all channels that match a pattern, also to those that come later, in one sequence.
  ///
  /// Each message has its own channel. Within one the order holds, between channels it does not. The buffer is one for all
  /// of them, and a gap says the pattern and not the channel. All else is as with channels.
  ///
  /// - Throws: ``BroadcastError/Code/unsupportedPatterns`` where ``Capabilities/hasPatterns`` says no, and
  ///   ``BroadcastError/Code/invalidPattern``.
  func subscribe(to pattern: ChannelPattern, options: SubscriptionOptions) async throws(BroadcastError) -> Subscription

  /// How much of a channel is kept, or nil where it has no history. The default says nil.
  func historyPolicy(of channel: Channel) -> HistoryPolicy?

  /// What a channel has kept: all behind a start, the oldest first, as far as an answer reaches. It subscribes to nothing.
  ///
  /// - Parameters:
  ///   - channel: One with a history.
  ///   - start: ``SubscriptionStart/live`` gives no messages, but the head.
  ///   - limit: The most messages of the answer, 1 to ``History/maximumMessages``; others are taken as the nearest of them.
  /// - Throws: ``BroadcastError/Code/unsupportedHistory`` where there is none, and why the broker could not be asked.
  func history(of channel: Channel, from start: SubscriptionStart, limit: Int) async throws(BroadcastError) -> History

  /// Makes a member present on a channel until what this returns is left or dropped.
  ///
  /// When it returns the broker has the member. Who is present need not be subscribed, and subscribing makes nobody present.
  /// A program that dies takes its members along, on Redis within 30 s.
  ///
  /// - Throws: ``BroadcastError/Code/presenceFull`` and ``BroadcastError/Code/invalidMember`` by ``PresenceLimits``,
  ///   ``BroadcastError/Code/unsupportedPresence``, and why the broker could not be asked. Then the member is not present by
  ///   this call.
  func enterPresence(on channel: Channel, as member: PresenceMember) async throws(BroadcastError) -> PresenceEntry

  /// All who are present on a channel now, in the order of their names' bytes.
  func presence(of channel: Channel) async throws(BroadcastError) -> [PresenceMember]

  /// Who is present on a channel, and then who joins, leaves and changes, in an order that all watchers share.
  func presenceUpdates(of channel: Channel) async throws(BroadcastError) -> PresenceUpdates
}

extension Broadcast {
  public func historyPolicy(of channel: Channel) -> HistoryPolicy? { nil }

  public func history(
    of channel: Channel, from start: SubscriptionStart, limit: Int
  ) async throws(BroadcastError) -> History {
    throw .historyUnsupported
  }

  /// The last messages that a channel has kept, the oldest of them first.
  ///
  /// - Parameters:
  ///   - channel: Whose messages.
  ///   - limit: The most messages, 1 to ``History/maximumMessages``.
  public func history(of channel: Channel, limit: Int = 100) async throws(BroadcastError) -> History {
    try await history(of: channel, from: .last(limit), limit: limit)
  }

  public func subscribe(
    to pattern: ChannelPattern, options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    throw .patternsUnsupported
  }

  /// Publishes text.
  @discardableResult
  public func publish(_ text: String, to channel: Channel) async throws(BroadcastError) -> Receipt {
    try await publish(Message(text, to: channel))
  }

  /// Publishes bytes, as a binary message.
  @discardableResult
  public func publish(_ payload: [UInt8], to channel: Channel) async throws(BroadcastError) -> Receipt {
    try await publish(Message(payload, to: channel))
  }

  /// Subscribes to one channel.
  public func subscribe(
    to channel: Channel, options: SubscriptionOptions = .init()
  ) async throws(BroadcastError) -> Subscription {
    try await subscribe(to: [channel], options: options)
  }

  /// Subscribes to one channel, and begins with what it has kept.
  ///
  /// The past comes first, then what is published, without a hole, a double or a swap between them.
  /// ``Subscription/recovered`` says whether all was there that was asked for; where it was not, a ``Gap`` stands in its place.
  ///
  /// - Throws: ``BroadcastError/Code/unsupportedHistory`` where the channel has no history and `start` is not
  ///   ``SubscriptionStart/live``.
  public func subscribe(
    to channel: Channel, from start: SubscriptionStart, buffer: BufferPolicy = .dropOldest
  ) async throws(BroadcastError) -> Subscription {
    try await subscribe(to: [channel], options: .init(buffer: buffer, start: start))
  }

  /// Subscribes to several channels, buffered as ``BufferPolicy/dropOldest-swift.type.property``.
  public func subscribe(to channels: [Channel]) async throws(BroadcastError) -> Subscription {
    try await subscribe(to: channels, options: .init())
  }

  /// Subscribes to a pattern, buffered as ``BufferPolicy/dropOldest-swift.type.property``.
  public func subscribe(to pattern: ChannelPattern) async throws(BroadcastError) -> Subscription {
    try await subscribe(to: pattern, options: .init())
  }

  /// Subscribes for the time of a closure. Leaving it, in whatever way, ends the subscription.
  ///
  /// The closure runs where the caller runs, so it can use what belongs to the caller's actor.
  public func withSubscription<Result>(
    to channels: [Channel], options: SubscriptionOptions = .init(), _ body: (Subscription) async throws -> Result
  ) async throws -> Result {
    let subscription = try await subscribe(to: channels, options: options)
    defer { subscription.cancel() }
    return try await body(subscription)
  }

  /// Subscribes to one channel for the time of a closure. Leaving it, in whatever way, ends the subscription.
  ///
  /// The closure runs where the caller runs, so it can use what belongs to the caller's actor.
  public func withSubscription<Result>(
    to channel: Channel, options: SubscriptionOptions = .init(), _ body: (Subscription) async throws -> Result
  ) async throws -> Result {
    try await withSubscription(to: [channel], options: options, body)
  }

  /// Subscribes to a pattern for the time of a closure. Leaving it, in whatever way, ends the subscription.
  ///
  /// The closure runs where the caller runs, so it can use what belongs to the caller's actor.
  public func withSubscription<Result>(
    to pattern: ChannelPattern, options: SubscriptionOptions = .init(), _ body: (Subscription) async throws -> Result
  ) async throws -> Result {
    let subscription = try await subscribe(to: pattern, options: options)
    defer { subscription.cancel() }
    return try await body(subscription)
  }
}
