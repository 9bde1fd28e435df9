//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// The channels of a loop: their subscriptions, and the logs of what came.
extension FanOut {
  /// The feed of a channel, which others cannot end by leaving until the reservation is given back.
  func reserve(_ key: FeedKey) async throws(BroadcastError) -> ChannelFeed {
    if let feed = feeds[key] { return feed.reserved() }
    let subscription = try await broadcast.subscribe(to: key.channel, options: SubscriptionOptions(buffer: buffer))
    // Others may have asked for it meanwhile. The first to come back counts; the others' subscriptions end here.
    if let feed = feeds[key] { return feed.reserved() }
    let feed = ChannelFeed(key, subscription)
    feeds[key] = feed
    // Made once, because a closure that is made for each message is an allocation.
    let tell: @Sendable () -> Void = { [weak self] in self?.assumeIsolated { $0.hasNews(key) } }
    try subscription.setWakeUp { [loop] in loop.execute(tell) }
    return feed.reserved()
  }

  /// Wider than a socket's: a loop that is held up for a moment must not cost all of its sockets their place.
  var buffer: BufferPolicy {
    .dropOldest(maximumMessages: max(65_536, limits.maximumMessages), maximumBytes: max(64 << 20, limits.maximumBytes))
  }

  func endIfUnused(_ feed: FrameFeed) {
    guard feed.isUnused else { return }
    if let feed = feed as? ChannelFeed { end(feed) }
    if let feed = feed as? LiveFeed { end(feed) }
    endedFeeds.removeAll { $0 === feed }
  }

  private func end(_ feed: ChannelFeed) {
    feed.subscription.cancel()
    guard feeds[feed.key] === feed else { return }
    feeds[feed.key] = nil
    endedFeeds.append(feed)
  }

  /// Takes what is new from the subscription and appends it to the log, as one batch. True if there was something.
  func take(_ feed: ChannelFeed) -> Bool {
    guard feed.closure == nil else {
      feed.hasMore = false
      return false
    }
    let batch = feed.subscription.takeBatch(
      maximumMessages: min(FrameBatch.maximumMessages, limits.maximumMessages, feed.messagesUntilNewcomer),
      maximumBytes: min(FrameBatch.maximumBytes, limits.maximumBytes))
    feed.hasMore = batch.hasMore
    var size = 0
    for case .message(let message) in batch.deliveries { size += feed.encoding.usualBytes(of: message) }
    var frames = FrameBatch(feed.encoding, capacity: size)
    var closure: WebSocketClosure?
    deliveries: for delivery in batch.deliveries {
      let message: Message
      switch delivery {
      case .message(let next): message = next
      case .gap(let gap):
        closure = .missedMessages
        feed.endsForAll = gap.reason != .slowConsumer && gap.reason != .memoryLimit
        break deliveries
      }
      // The last message is taken however large it is. Together with those before it, it could be more than a socket
      // may be behind, also one that has got all so far.
      if frames.messageCount > 0, frames.bytes.count + feed.encoding.bytes(of: message) > limits.maximumBytes {
        append(frames, to: feed)
        for index in feed.readers.indices { pump(feed.readers[index].member) }
        frames = FrameBatch(feed.encoding, capacity: feed.encoding.usualBytes(of: message))
      }
      frames.append(message)
    }
    if frames.messageCount > 0 { append(frames, to: feed) }
    switch batch.end {
    case .finished: closure = closure ?? WebSocketClosure(.goingAway, "The server stops.")
    case .failed: closure = closure ?? .missedMessages
    case nil: break
    }
    if let closure {
      feed.closure = closure
      feed.admitAll()
      // Whoever comes now gets a feed without a gap.
      end(feed)
    }
    return frames.messageCount > 0 || closure != nil
  }

  private func append(_ frames: FrameBatch, to feed: ChannelFeed) {
    account(feed) { $0.append(frames, age: budget.tick(), limits: limits) }
  }

  // MARK: Memory

  /// Keeps the account of all logs while one changes.
  func account<Feed: FrameFeed>(_ feed: Feed, _ change: (Feed) -> Void) {
    let before = feed.log.heldBytes
    change(feed)
    if budget.add(feed.log.heldBytes - before) { freeOldest() }
  }

  private func freeOldest() {
    var feeds = endedFeeds
    for feed in self.feeds.values { feeds.append(feed) }
    for source in liveSources.values { feeds += source.feeds }
    var batches: [(age: Int, bytes: Int)] = []
    for feed in feeds { feed.log.visitBatches { batches.append((age: $0, bytes: $1)) } }
    guard let age = budget.ageToDrop(among: batches) else { return }
    for feed in feeds {
      let before = feed.log.heldBytes
      feed.log.drop(upTo: age, keepingNewest: feed.sweepsLeft > 0)
      guard feed.log.heldBytes != before else { continue }
      budget.add(feed.log.heldBytes - before)
      // Whoever still needed it has to go now, and not only with the channel's next message.
      feed.sweepsLeft = feed.readers.count
      loop.inNextTurn { self.schedule(feed) }
    }
  }
}
