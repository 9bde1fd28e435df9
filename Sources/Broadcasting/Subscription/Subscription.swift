//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A subscription to one or several channels, or to a pattern, read as a sequence of deliveries.
///
/// ```swift
/// for try await delivery in subscription {
///   switch delivery {
///   case .message(let message): show(message)
///   case .gap(let gap): reload(because: gap)
///   }
/// }
/// ```
///
/// What comes faster than it is read waits in a buffer with limits (``BufferPolicy``). A reader who is further behind gets
/// a ``Gap`` with the count of what it missed and goes on with the oldest message which is still there.
///
/// One that begins with a history (``SubscriptionStart``) gives the past first, whatever its buffer holds, and then what is
/// published. ``recovered`` says whether all of it was there.
///
/// There is one reader: a second iterator throws ``BroadcastError/Code/alreadyIterating`` at its first element. An
/// iterator takes up to 256 messages at once from the buffer.
///
/// How it ends:
/// - ``cancel()``, leaving `withSubscription`, or dropping the subscription and its iterator: the reader gets nil, and
///   what it had not read is gone, because whoever calls this wants no more.
/// - The task that reads is cancelled: the reader gets nil, after at most 15 more deliveries that it has at hand, and the
///   subscription is cancelled with it.
/// - `run()` ends: the reader gets what is buffered, then nil. What was published before the end has arrived.
/// - Its policy is ``BufferPolicy/Overflow/fail`` and the buffer is full: the reader gets
///   ``BroadcastError/Code/fellBehind``.
public final class Subscription: Sendable {
  private let core: SubscriptionCore

  /// The channels, in the order in which they were named, each once. None for a subscription to a pattern.
  public let channels: [Channel]

  /// The pattern, for a subscription to one.
  public let pattern: ChannelPattern?

  init(core: SubscriptionCore, topics: [Topic]) {
    self.core = core
    channels = topics.compactMap(\.channel)
    pattern = topics.first?.pattern
  }

  deinit { core.close() }

  /// Whether nothing is missing of what was asked for when it began, in any of its channels.
  public var recovered: Bool { core.recoveries.allSatisfy(\.isComplete) }

  /// What became of the start in a channel. It is known when `subscribe` returns and never changes.
  ///
  /// Nil for a channel that is none of its own.
  public func recovery(of channel: Channel) -> Recovery? {
    guard let index = channels.firstIndex(of: channel) else { return nil }
    let recoveries = core.recoveries
    return index < recoveries.count ? recoveries[index] : Recovery()
  }

  /// Ends the subscription now. Calling it again does nothing.
  public func cancel() { core.close() }

  var isClosed: Bool { core.isClosed }

  func claim() throws(BroadcastError) {
    guard core.claim() else { throw .alreadyIterating }
  }

  func next() async throws(BroadcastError) -> (deliveries: [Delivery], range: Range<Int>)? { try await core.next() }
}

extension Subscription: AsyncSequence {
  public typealias Element = Delivery
  public typealias Failure = BroadcastError

  public func makeAsyncIterator() -> Iterator { Iterator(subscription: self) }

  public struct Iterator: AsyncIteratorProtocol {
    @usableFromInline let subscription: Subscription
    private var isClaimed = false
    @usableFromInline var deliveries: [Delivery] = []
    @usableFromInline var index = 0
    @usableFromInline var end = 0

    init(subscription: Subscription) { self.subscription = subscription }

    /// Waits for the next delivery. Nil is the end.
    // Inlined into the reader's loop, so that a delivery which is at hand costs no asynchronous call.
    @inlinable
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(BroadcastError) -> Delivery? {
      if let delivery = takeNext() { return delivery }
      return try await refill()
    }

    /// What is at hand, unless the reader was cancelled. Asking the task costs as much as all else together, so it is
    /// asked for one delivery in 16.
    @usableFromInline
    mutating func takeNext() -> Delivery? {
      guard index < end, !subscription.isClosed, index % 16 != 0 || !Task.isCancelled else { return nil }
      defer { index += 1 }
      return deliveries[index]
    }

    @usableFromInline
    mutating func refill() async throws(BroadcastError) -> Delivery? {
      guard let chunk = try await nextChunk() else { return nil }
      (deliveries, index, end) = (chunk.deliveries, chunk.range.lowerBound + 1, chunk.range.upperBound)
      return deliveries[chunk.range.lowerBound]
    }

    /// Waits for the next deliveries, all that came together.
    mutating func nextChunk() async throws(BroadcastError) -> (deliveries: [Delivery], range: Range<Int>)? {
      if !isClaimed {
        try subscription.claim()
        isClaimed = true
      }
      (deliveries, index, end) = ([], 0, 0)
      return try await subscription.next()
    }
  }
}

// MARK: For event loops

extension Subscription {
  /// Makes the caller the reader who is called instead of waiting.
  ///
  /// `wakeUp` is called once, on any thread and under no lock, when there is something to take, or the end. After that it
  /// is silent until ``takeBatch(maximumMessages:maximumBytes:)`` has been called, and is due again once that left nothing
  /// over. Nothing can come unnoticed between the two.
  package func setWakeUp(_ wakeUp: @escaping @Sendable () -> Void) throws(BroadcastError) {
    try claim()
    core.setWakeUp(wakeUp)
  }

  /// Messages that wait for the reader now, in all of its channels.
  package var unreadMessages: Int { core.unreadMessages(in: nil) }

  /// Those of one channel. Which of several channels' messages are taken first is not said.
  package func unreadMessages(in channel: Channel) -> Int { core.unreadMessages(in: channel) }

  /// Takes what is there, up to the limits, without waiting. One message is taken however large it is.
  package func takeBatch(maximumMessages: Int = .max, maximumBytes: Int = .max) -> SubscriptionBatch {
    core.takeBatch(maximumMessages: maximumMessages, maximumBytes: maximumBytes)
  }
}
