//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// Feeds by their channel, or by their pattern, under one lock.
///
/// A feed comes with its first reader and goes with its last. Both happen under the lock, so nobody joins a feed that is on
/// its way out.
final class FeedShard<Key: Hashable & Sendable>: Sendable {
  struct Joined: Sendable {
    var feed: ChannelFeed
    var slot: Int
    var joining: ChannelFeed.Machine.Joining
  }

  private struct State: Sendable {
    var feeds: [Key: ChannelFeed] = [:]
    var published = 0
    /// Counters of feeds that have gone.
    var gone = BroadcastStatistics()
    var isClosed = false
  }

  private let state = Lock(State())
  private let count = Atomic<Int>(0)

  /// Read without the lock: whoever has joined before sees that it is not.
  var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

  /// Finds a feed for `count` messages that are published to it.
  func feed(of key: Key, publishing count: Int = 0) -> ChannelFeed? {
    state.withLock { state in
      state.published += count
      return state.feeds[key]
    }
  }

  /// Finds a feed, or adds one.
  func feed(of key: Key, orMaking makeFeed: () -> ChannelFeed) -> ChannelFeed? {
    state.withLock { state in
      if let existing = state.feeds[key] { return existing }
      guard !state.isClosed else { return nil }
      let feed = makeFeed()
      state.feeds[key] = feed
      count.store(state.feeds.count, ordering: .relaxed)
      return feed
    }
  }

  /// Runs `body` while nobody comes or goes, and no other such `body` runs.
  func withFeeds<Result: Sendable>(_ body: ([Key: ChannelFeed]) -> Result) -> Result {
    state.withLock { body($0.feeds) }
  }

  /// Adds a reader. Returns nil when it is closed.
  ///
  /// Whether there is a connection is looked up under the lock. So whoever changes that, and then tells all ``feeds``, leaves
  /// none out that came with the old answer.
  func join(
    _ key: Key, _ core: SubscriptionCore, limits: LogLimits, start: SubscriptionStart, latch: Latch?,
    isConnected: () -> Bool, makeFeed: () -> ChannelFeed
  ) -> Joined? {
    state.withLock { state in
      guard !state.isClosed else { return nil }
      let feed: ChannelFeed
      if let existing = state.feeds[key] {
        feed = existing
      } else {
        feed = makeFeed()
        state.feeds[key] = feed
        count.store(state.feeds.count, ordering: .relaxed)
      }
      let (slot, joining) = feed.join(
        core, limits: limits, start: start, latch: latch, isConnected: isConnected())
      return Joined(feed: feed, slot: slot, joining: joining)
    }
  }

  /// Forgets a feed, unless somebody has joined it meanwhile. `remember` is called before anybody can make another.
  func removeIfIdle(_ feed: ChannelFeed, of key: Key, remember: () -> Void = {}) {
    state.withLock { state in
      guard state.feeds[key] === feed, feed.retire() else { return }
      remember()
      feed.count(into: &state.gone)
      state.feeds[key] = nil
      count.store(state.feeds.count, ordering: .relaxed)
    }
  }

  var feeds: [ChannelFeed] { state.withLock { Array($0.feeds.values) } }

  /// Lets nobody join any more. Returns all who are here.
  func close() -> [ChannelFeed] {
    state.withLock { state in
      state.isClosed = true
      return Array(state.feeds.values)
    }
  }

  func count(into statistics: inout BroadcastStatistics) {
    let (feeds, published, gone) = state.withLock { (Array($0.feeds.values), $0.published, $0.gone) }
    statistics.published += published
    statistics.delivered += gone.delivered
    statistics.dropped += gone.dropped
    statistics.gaps += gone.gaps
    statistics.filled += gone.filled
    statistics.unrecorded += gone.unrecorded
    for feed in feeds { feed.count(into: &statistics) }
  }
}
