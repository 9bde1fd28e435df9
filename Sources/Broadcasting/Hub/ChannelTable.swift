//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// The channels that somebody is subscribed to, in shards with a lock each, so that publishers to different channels
/// seldom meet, and the patterns.
///
/// The order of locks is patterns, shard, feed.
final class ChannelTable: Sendable {
  private let shards: [FeedShard<Channel>] = (0..<16).map { _ in FeedShard() }
  private let patterns = FeedShard<ChannelPattern>()
  private let publishedToBroker = Atomic<Int>(0)
  private let budget: MemoryBudget
  /// Whether the driver is asked to catch up for later readers of a channel.
  private let fences: Bool
  /// Nil where no channel has a history.
  let keeper: HistoryKeeper?
  private let isFreeing = Atomic<Bool>(false)

  init(budget: MemoryBudget, fences: Bool, keeper: HistoryKeeper? = nil) {
    self.budget = budget
    self.fences = fences
    self.keeper = keeper
  }

  /// Not the hash of the dictionaries, which would be computed twice: names of a program differ in their end or length.
  private func shard(of channel: Channel) -> FeedShard<Channel> {
    let name = channel.name.utf8
    let last = name.last ?? 0
    return shards[(Int(last) &+ name.count &* 7) & 15]
  }

  /// Finds the feed of a channel for `count` messages that are published to it.
  func feed(of channel: Channel, publishing count: Int) -> ChannelFeed? {
    shard(of: channel).feed(of: channel, publishing: count)
  }

  func feed(of channel: Channel) -> ChannelFeed? { shard(of: channel).feed(of: channel) }

  func feed(of pattern: ChannelPattern) -> ChannelFeed? { patterns.feed(of: pattern) }

  func feed(of topic: Topic) -> ChannelFeed? {
    switch topic {
    case .channel(let channel): feed(of: channel)
    case .pattern(let pattern): feed(of: pattern)
    }
  }

  /// Counts messages whose way leads through a broker.
  func countPublished(_ count: Int) { publishedToBroker.add(count, ordering: .relaxed) }

  // MARK: Patterns without a broker

  var hasPatterns: Bool { !patterns.isEmpty }

  /// Appends messages to their channel's feed, and to those of the patterns that match it. Returns whom to wake.
  ///
  /// One publisher at a time does so, whatever the channel: all who read one, by its name or by a pattern, see its messages in
  /// one order.
  func appendWithPatterns(_ messages: [Message], to channel: Channel) -> [ChannelFeed.Sleeper] {
    let deliveries = messages.map { Delivery.message($0) }
    return patterns.withFeeds { patterns in
      let woken = feed(of: channel, publishing: messages.count)?.append(contentsOf: deliveries) ?? []
      return woken + append(deliveries, of: channel, to: patterns)
    }
  }

  private func append(
    _ deliveries: [Delivery], of channel: Channel, to patterns: [ChannelPattern: ChannelFeed]
  ) -> [ChannelFeed.Sleeper] {
    var woken: [ChannelFeed.Sleeper] = []
    for (pattern, feed) in patterns where pattern.matches(channel) { woken += feed.append(contentsOf: deliveries) }
    return woken
  }

  // MARK: Histories without a broker

  /// Appends a message to its channel's feed, which is made where the channel has a history, and to those of the patterns.
  ///
  /// - Throws: Where the channel's name is invalid. One that has a feed was checked when that came.
  func publish(_ message: Message) throws(BroadcastError) -> ChannelFeed.Published {
    let channel = message.channel
    if hasPatterns {
      try channel.validate()
      return publish([message], to: channel)
    }
    if let published = feed(of: channel, publishing: 1)?.publish(message) { return published }
    try channel.validate()
    return keep(on: channel, count: 0) { $0.publish(message) } ?? ChannelFeed.Published()
  }

  /// The same for messages of one channel that came together.
  func publish(_ messages: [Message], to channel: Channel) -> ChannelFeed.Published {
    guard hasPatterns else {
      return keep(on: channel, count: messages.count) { $0.publish(messages) } ?? ChannelFeed.Published()
    }
    return patterns.withFeeds { patterns in
      var published =
        keep(on: channel, count: messages.count) { $0.publish(messages) }
        ?? ChannelFeed.Published(deliveries: messages.map { .message($0) })
      published.woken += append(published.deliveries, of: channel, to: patterns)
      return published
    }
  }

  /// Nil where nobody reads and nothing is kept.
  private func keep(
    on channel: Channel, count: Int, _ publish: (ChannelFeed) -> ChannelFeed.Published?
  ) -> ChannelFeed.Published? {
    let shard = shard(of: channel)
    var found = shard.feed(of: channel, publishing: count)
    while true {
      if found == nil, let keeper, keeper.policies.policy(of: channel) != nil {
        found = shard.feed(of: channel, orMaking: { makeFeed(of: channel) })
      }
      guard let feed = found else { return nil }
      if let published = publish(feed) { return published }
      // It has gone since it was found.
      found = shard.feed(of: channel)
    }
  }

  private func makeFeed(of channel: Channel) -> ChannelFeed {
    ChannelFeed(.channel(channel), budget: budget, fences: fences, history: keeper?.makeHistory(of: channel))
  }

  /// What is kept of a channel. Nil where it has no history.
  func history(of channel: Channel, from start: SubscriptionStart, limit: Int) -> History? {
    if let history = feed(of: channel)?.history(from: start, limit: limit) { return history }
    // Nothing is kept, but where its log stood is known.
    return keeper?.makeHistory(of: channel)?.history(from: start, limit: limit)
  }

  // MARK: Members

  /// Adds a reader. Returns nil when the table is closed.
  func join(
    _ topic: Topic, _ core: SubscriptionCore, limits: LogLimits, start: SubscriptionStart = .live, latch: Latch?,
    isConnected: () -> Bool
  ) -> (feed: ChannelFeed, slot: Int, joining: ChannelFeed.Machine.Joining)? {
    switch topic {
    case .channel(let channel):
      let joined = shard(of: channel).join(
        channel, core, limits: limits, start: start, latch: latch, isConnected: isConnected,
        makeFeed: { makeFeed(of: channel) })
      return joined.map { ($0.feed, $0.slot, $0.joining) }
    case .pattern(let pattern):
      let joined = patterns.join(
        pattern, core, limits: limits, start: .live, latch: latch, isConnected: isConnected,
        makeFeed: { ChannelFeed(topic, budget: budget) })
      return joined.map { ($0.feed, $0.slot, $0.joining) }
    }
  }

  /// Forgets a feed, unless somebody has joined it meanwhile.
  func removeIfIdle(_ feed: ChannelFeed) {
    switch feed.topic {
    case .channel(let channel):
      shard(of: channel).removeIfIdle(feed, of: channel) {
        if let keeper, let position = feed.lastPosition { keeper.keep(position, of: channel) }
      }
    case .pattern(let pattern): patterns.removeIfIdle(feed, of: pattern)
    }
  }

  var feeds: [ChannelFeed] { shards.flatMap(\.feeds) + patterns.feeds }

  /// The same, shard by shard, channels alone.
  var feedsByShard: some Sequence<[ChannelFeed]> { shards.lazy.map(\.feeds) }

  /// Lets nobody join any more. Returns all who are here.
  func close() -> [ChannelFeed] { shards.flatMap { $0.close() } + patterns.close() }

  /// Frees the oldest segments of all feeds until the budget holds. One thread does it at a time; others go on.
  func freeOldest() {
    guard !isFreeing.exchange(true, ordering: .acquiring) else { return }
    defer { isFreeing.store(false, ordering: .releasing) }
    let feeds = feeds
    guard let age = budget.ageToDrop(among: feeds.flatMap(\.segments)) else { return }
    for feed in feeds where feed.drop(upTo: age) { removeIfIdle(feed) }
  }

  var statistics: BroadcastStatistics {
    var statistics = BroadcastStatistics()
    for shard in shards { shard.count(into: &statistics) }
    patterns.count(into: &statistics)
    statistics.published += publishedToBroker.load(ordering: .relaxed)
    statistics.bytesHeld = budget.heldBytes
    return statistics
  }
}
