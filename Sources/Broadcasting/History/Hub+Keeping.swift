//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Histories without a broker: what is kept in this process.
extension Hub {
  /// Publishes one message where channels can have a history.
  func keep(_ message: Message) throws(BroadcastError) -> Receipt {
    let published: ChannelFeed.Published
    do throws(BroadcastError) {
      published = try channels.publish(message)
    } catch {
      throw error.with(outcome: .notSent)
    }
    finishPublishing(published.woken)
    return Receipt(position: published.first)
  }

  /// Publishes checked messages where channels can have a history.
  func keep(_ messages: [Message]) -> [Receipt] {
    var receipts = [Receipt](repeating: Receipt(), count: messages.count)
    // By channel, each in its order. Between channels there is none.
    for (channel, indices) in Dictionary(grouping: messages.indices, by: { messages[$0].channel }) {
      let published = channels.publish(indices.map { messages[$0] }, to: channel)
      finishPublishing(published.woken)
      guard var position = published.first else { continue }
      for index in indices {
        receipts[index] = Receipt(position: position)
        position = position.next
      }
    }
    return receipts
  }

  /// Reads what is kept here. The limit is taken as the nearest allowed one.
  func keptHistory(of channel: Channel, from start: SubscriptionStart, limit: Int) throws(BroadcastError) -> History {
    let limit = min(max(1, limit), History.maximumMessages)
    guard let history = channels.history(of: channel, from: start, limit: limit) else { throw .noHistory(of: channel) }
    return history
  }

  /// Drops, once a second, what has become too old, until the task is cancelled.
  func keepTimeOfHistories() async {
    let clock = ContinuousClock()
    let start = clock.now
    while !Task.isCancelled {
      // Messages grow old by the clock alone. It fails only when the task is cancelled, which ends the loop.
      try? await Task.sleep(for: .seconds(1))
      await trimHistories(now: Int((clock.now - start).components.seconds))
    }
  }

  /// Drops what is too old at a time, in seconds since the hub began, and channels that have nothing left.
  func trimHistories(now: Int) async {
    channels.keeper?.clock.advance(to: now)
    for feeds in channels.feedsByShard {
      for (index, feed) in feeds.enumerated() {
        if feed.hasHistory, feed.trimHistory() { channels.removeIfIdle(feed) }
        // There may be a million of them, and others wait for this thread.
        if index % 1_024 == 1_023 { await Task.yield() }
      }
    }
  }
}

extension Hub {
  /// Whether a channel has a history, as far as it is known here.
  func checkHistory(of channel: Channel) throws(BroadcastError) {
    if driver != nil, configuration.history.isEmpty { return }
    guard historyPolicy(of: channel) != nil else { throw .noHistory(of: channel) }
  }

  public func historyPolicy(of channel: Channel) -> HistoryPolicy? { configuration.history.policy(of: channel) }

  public func history(
    of channel: Channel, from start: SubscriptionStart, limit: Int
  ) async throws(BroadcastError) -> History {
    guard capabilities.hasHistory else { throw .historyUnsupported }
    try channel.validate()
    try checkHistory(of: channel)
    try await admit()
    if let driver { return try await askedHistory(of: channel, from: start, limit: limit, with: driver) }
    return try keptHistory(of: channel, from: start, limit: limit)
  }

  /// Whether a subscription can begin where it asks to.
  func check(_ options: SubscriptionOptions, _ wanted: [Channel]) throws(BroadcastError) {
    if options.start == .live, options.starts.isEmpty { return }
    if let other = options.starts.keys.first(where: { !wanted.contains($0) }) {
      throw BroadcastError(
        .invalidPosition, "`starts` names the channel \(other), which is none of those subscribed to. Leave it out.")
    }
    if wanted.count > 1, case .after = options.start.value {
      throw BroadcastError(
        .invalidPosition, "A position is one of a single channel. Name those of several channels in `starts`.")
    }
    for channel in wanted where options.start(of: channel) != .live {
      guard capabilities.hasHistory else { throw .historyUnsupported }
      try checkHistory(of: channel)
    }
  }
}
