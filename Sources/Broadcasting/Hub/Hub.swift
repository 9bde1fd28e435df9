//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// All that every backend has in common: local subscribers and their buffers, and what a driver is asked for.
///
/// Without a driver it is the whole of ``MemoryBroadcast``. With one, published messages go to the broker and come back
/// from it, and a hub with a driver is a backend: see <doc:WritingABackend>.
public final class Hub: Broadcast {
  public let capabilities: Capabilities
  let configuration: HubConfiguration
  let driver: (any BroadcastDriver)?
  package let budget: MemoryBudget
  let channels: ChannelTable
  /// Whether messages of channels with a history are kept here, and so get their positions here.
  let keepsHistories: Bool
  /// Calls of the driver that subscribe or catch up, and those that unsubscribe: a broker that takes long over the first does not hold
  /// up the second. A channel has one call at a time, so their order is kept.
  let subscribing = Mailbox<DriverCall>()
  let unsubscribing = Mailbox<DriverCall>()
  /// Readers whom `run()` wakes. Each sleeps once, so there are no more than subscriptions.
  let sleepers = Mailbox<ChannelFeed.Sleeper>()
  /// Subscriptions that were lost one by one and wait to be asked for again, and news of them that wait to be told.
  let renewals = Mailbox<PlannedStep>()
  let renewalNews = Lock(RenewalNews())
  /// Held also while all channels are told of a connection that comes or goes, so that they hear of both in their order.
  /// The order of locks is this one, patterns, shard, feed.
  let lifecycle = Lock(Lifecycle())
  /// Whether the phase is `connected`, to be read without the lock. It is written under it.
  let isOpen = Atomic<Bool>(false)
  let presence: PresenceDesk

  /// A hub whose messages travel through a driver's broker.
  public convenience init(driver: some BroadcastDriver, configuration: HubConfiguration = .init()) {
    self.init(driver, driver.capabilities, configuration)
  }

  /// A hub that is a world of its own.
  convenience init(configuration: HubConfiguration) {
    let capabilities = Capabilities(
      maximumPayloadBytes: configuration.maximumMessageBytes, ordering: .perChannel, mayDeliverEarlierMessages: false,
      hasPositions: !configuration.history.isEmpty, hasHistory: !configuration.history.isEmpty, hasPatterns: true,
      hasPresence: true)
    self.init(nil, capabilities, configuration)
  }

  private init(
    _ driver: (any BroadcastDriver)?, _ capabilities: Capabilities, _ configuration: HubConfiguration
  ) {
    self.driver = driver
    self.capabilities = capabilities
    self.configuration = configuration
    presence = PresenceDesk(isLocal: driver == nil, limits: configuration.presence)
    budget = configuration.budget ?? MemoryBudget(limit: configuration.maximumBufferedBytes)
    keepsHistories = driver == nil && !configuration.history.isEmpty
    channels = ChannelTable(
      budget: budget, fences: driver != nil && !capabilities.mayDeliverEarlierMessages,
      keeper: driver == nil || capabilities.hasHistory
        ? HistoryKeeper(configuration.history, isTruth: driver == nil, budget: budget) : nil)
  }

  public var statistics: BroadcastStatistics {
    var statistics = channels.statistics
    statistics.isAvailable = isOpen.load(ordering: .relaxed)
    (statistics.reconnects, statistics.probeDelay) = lifecycle.withLock { ($0.reconnects, $0.probes.delay) }
    (statistics.presenceMembers, statistics.presenceWatched) = presence.counts
    return statistics
  }

  func emit(_ event: BroadcastEvent) { configuration.onEvent?(event) }

  /// Returns when calls are possible, or throws why they are not.
  func admit() async throws(BroadcastError) {
    if isOpen.load(ordering: .acquiring) { return }
    try await waitUntilOpen()
  }

  @inline(never)
  private func waitUntilOpen() async throws(BroadcastError) {
    let latch = Latch()
    switch lifecycle.withLock({ $0.admit(latch) }) {
    case .open: return
    case .refuse(let error): throw error
    case .wait: break
    }
    let patience = configuration.startPatience
    let result = await withTaskGroup(of: Void.self) { group -> Result<Void, BroadcastError> in
      group.addTask {
        // The time limit of the wait. Cancelled when that is over, which makes it fail a latch that has its result already.
        try? await Task.sleep(for: patience)
        if let error = self.lifecycle.withLock({ $0.impatience(after: patience) }) { latch.fail(error) }
      }
      defer { group.cancelAll() }
      do throws(BroadcastError) {
        try await latch.wait()
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    lifecycle.withLock { $0.forget(latch) }
    try result.get()
  }
}

// MARK: Publishing

extension Hub {
  @discardableResult
  public func publish(_ message: Message) async throws(BroadcastError) -> Receipt {
    do throws(BroadcastError) {
      try check(message)
      if driver != nil { try message.channel.validate() }
      if !isOpen.load(ordering: .acquiring) { try await waitUntilOpen() }
    } catch {
      throw error.with(outcome: .notSent)
    }
    if let driver { return try await send([message], by: driver).first ?? Receipt() }
    let message = message.withoutPosition
    if keepsHistories { return try keep(message) }
    if channels.hasPatterns {
      do throws(BroadcastError) { try message.channel.validate() } catch { throw error.with(outcome: .notSent) }
      deliver([message], to: message.channel)
    } else if let feed = channels.feed(of: message.channel, publishing: 1) {
      finishPublishing(feed.append(.message(message)))
    } else {
      // A channel with subscribers was checked when they came.
      do throws(BroadcastError) { try message.channel.validate() } catch { throw error.with(outcome: .notSent) }
    }
    return Receipt()
  }

  @discardableResult
  public func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    guard let first = messages.first else { return [] }
    do throws(BroadcastError) {
      var valid: Channel?
      for message in messages {
        try check(message)
        // Most are of one channel.
        if message.channel == valid { continue }
        try message.channel.validate()
        valid = message.channel
      }
      try await admit()
    } catch {
      throw error.with(outcome: .notSent)
    }
    if let driver { return try await send(messages, by: driver) }
    let messages = messages.contains { $0.position != nil } ? messages.map(\.withoutPosition) : messages
    if keepsHistories { return keep(messages) }
    if messages.allSatisfy({ $0.channel == first.channel }) {
      deliver(messages, to: first.channel)
    } else {
      // By channel, each in its order. Between channels there is none.
      for (channel, messages) in Dictionary(grouping: messages, by: \.channel) { deliver(messages, to: channel) }
    }
    return [Receipt](repeating: Receipt(), count: messages.count)
  }

  private func deliver(_ messages: [Message], to channel: Channel) {
    if channels.hasPatterns { return finishPublishing(channels.appendWithPatterns(messages, to: channel)) }
    guard let feed = channels.feed(of: channel, publishing: messages.count) else { return }
    finishPublishing(feed.append(contentsOf: messages.map { .message($0) }))
  }

  /// What has to follow outside of the feed's lock: keeping the budget, and waking who sleeps.
  ///
  /// Waking costs more than all else. A publisher wakes a few readers itself, and event loops, for whom it is a call.
  /// Many are woken by `run()`, so that a publisher in a burst goes on meanwhile, and each reader finds the most of the
  /// burst when it gets its turn, instead of being woken for every message of it.
  func finishPublishing(_ sleepers: [ChannelFeed.Sleeper]) {
    if budget.isExceeded { channels.freeOldest() }
    if sleepers.count <= 4 {
      for sleeper in sleepers { sleeper.core.wake() }
      return
    }
    let tasks = sleepers.filter { !$0.core.wakeByCallback() }
    guard !self.sleepers.append(tasks) else { return }
    for sleeper in tasks { sleeper.core.wake() }
  }

  private func check(_ message: Message) throws(BroadcastError) {
    let bytes = message.payload.count
    if let limit = capabilities.maximumPayloadBytes, bytes > limit { throw .messageTooLarge(bytes, limit: limit) }
    // What holds it counts too, so that headers without end are found here as well.
    let size = message.headers.isEmpty ? bytes : message.bufferedBytes
    if size > configuration.maximumMessageBytes {
      throw .messageTooLarge(size, limit: configuration.maximumMessageBytes)
    }
    if !message.headers.isEmpty, !capabilities.carriesHeaders {
      throw BroadcastError(.unsupportedHeaders, "This backend cannot carry headers. Leave them out.")
    }
    if message.kind == .binary, !capabilities.carriesBinary {
      throw BroadcastError(.invalidText, "This backend carries text only. Publish the payload as text.")
    }
  }

  private func send(
    _ messages: [Message], by driver: any BroadcastDriver
  ) async throws(BroadcastError) -> [Receipt] {
    let receipts: [Receipt]
    do throws(BroadcastError) {
      receipts = try await driver.publish(messages)
    } catch {
      // A driver that does not say leaves the worse case open.
      throw error.with(outcome: .unconfirmed)
    }
    channels.countPublished(messages.count)
    return receipts
  }
}
