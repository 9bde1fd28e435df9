//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// The channels that somebody is subscribed to, in shards with a lock each, so that publishers to different channels
/// seldom meet.
///
/// A feed comes with its first reader and goes with its last. Both happen under the shard's lock, so nobody joins a feed
/// that is on its way out. The order of locks is shard, then feed.
final class ChannelTable: Sendable {
  private struct Shard: Sendable {
    var feeds: [Channel: ChannelFeed] = [:]
    var published = 0
    /// Counters of feeds that have gone.
    var gone = BroadcastStatistics()
    var isClosed = false
  }

  private final class LockedShard: Sendable {
    let lock = Lock(Shard())
  }

  private let shards: [LockedShard] = (0..<16).map { _ in LockedShard() }
  private let budget: MemoryBudget
  private let isFreeing = Atomic<Bool>(false)

  init(budget: MemoryBudget) { self.budget = budget }

  /// Not the hash of the dictionaries, which would be computed twice: names of a program differ in their end or length.
  private func shard(of channel: Channel) -> LockedShard {
    let name = channel.name.utf8
    let last = name.last ?? 0
    return shards[(Int(last) &+ name.count &* 7) & 15]
  }

  /// Finds the feed of a channel for `count` messages that are published to it.
  func feed(of channel: Channel, publishing count: Int) -> ChannelFeed? {
    shard(of: channel).lock.withLock { shard in
      shard.published += count
      return shard.feeds[channel]
    }
  }

  func feed(of channel: Channel) -> ChannelFeed? { shard(of: channel).lock.withLock { $0.feeds[channel] } }

  /// Counts messages whose way leads through a broker.
  func countPublished(_ count: Int, to channel: Channel) {
    shard(of: channel).lock.withLock { $0.published += count }
  }

  /// Adds a reader to a channel. Returns nil when the table is closed.
  ///
  /// Whether there is a connection is looked up under the shard's lock. So whoever changes that, and then tells all
  /// ``feeds``, leaves none out that came with the old answer.
  func join(
    _ channel: Channel, _ core: SubscriptionCore, limits: LogLimits, latch: Latch?, isConnected: @autoclosure () -> Bool
  ) -> (feed: ChannelFeed, slot: Int, joining: ChannelFeed.Machine.Joining)? {
    shard(of: channel).lock.withLock { shard in
      guard !shard.isClosed else { return nil }
      let feed = shard.feeds[channel] ?? ChannelFeed(channel: channel, budget: budget)
      shard.feeds[channel] = feed
      let (slot, joining) = feed.join(core, limits: limits, latch: latch, isConnected: isConnected())
      return (feed, slot, joining)
    }
  }

  /// Forgets a feed, unless somebody has joined it meanwhile.
  func removeIfIdle(_ feed: ChannelFeed) {
    shard(of: feed.channel).lock.withLock { shard in
      guard shard.feeds[feed.channel] === feed, feed.isIdle else { return }
      feed.count(into: &shard.gone)
      shard.feeds[feed.channel] = nil
    }
  }

  var feeds: [ChannelFeed] {
    shards.flatMap { shard in shard.lock.withLock { Array($0.feeds.values) } }
  }

  /// Lets nobody join any more. Returns all who are here.
  func close() -> [ChannelFeed] {
    shards.flatMap { shard in
      shard.lock.withLock {
        $0.isClosed = true
        return Array($0.feeds.values)
      }
    }
  }

  /// Frees the oldest segments of all channels until the budget holds. One thread does it at a time; others go on.
  func freeOldest() {
    guard !isFreeing.exchange(true, ordering: .acquiring) else { return }
    defer { isFreeing.store(false, ordering: .releasing) }
    let feeds = feeds
    guard let age = budget.ageToDrop(among: feeds.flatMap(\.segments)) else { return }
    for feed in feeds { feed.drop(upTo: age) }
  }

  var statistics: BroadcastStatistics {
    var statistics = BroadcastStatistics()
    for shard in shards {
      let (feeds, published, gone) = shard.lock.withLock { (Array($0.feeds.values), $0.published, $0.gone) }
      statistics.published += published
      statistics.delivered += gone.delivered
      statistics.dropped += gone.dropped
      for feed in feeds { feed.count(into: &statistics) }
    }
    statistics.bytesHeld = budget.heldBytes
    return statistics
  }
}
