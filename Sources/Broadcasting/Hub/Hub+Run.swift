//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

extension Hub {
  public func run() async throws(BroadcastError) {
    try lifecycle.withLock { lifecycle throws(BroadcastError) in try lifecycle.start() }
    var failure: BroadcastError?
    do throws(BroadcastError) { try checkHistories() } catch { failure = error }
    if failure != nil {
      // Nobody is let in.
    } else if let driver {
      failure = await runSessions(with: driver)
    } else {
      let session = lifecycle.withLock { $0.beginSession() }
      connected(session: session)
      await withDiscardingTaskGroup { group in
        if keepsHistories { group.addTask { await self.keepTimeOfHistories() } }
        await self.wakeSleepers()
        group.cancelAll()
      }
    }
    end(failure)
    if let failure { throw failure }
  }

  /// What is configured and could never be kept is an error from the beginning, so that nobody relies on it.
  private func checkHistories() throws(BroadcastError) {
    try configuration.history.validate()
    if !configuration.history.isEmpty, !capabilities.hasHistory { throw .historyUnsupported }
  }

  private func end(_ failure: BroadcastError?) {
    let (waiters, reason) = lifecycle.withLock { lifecycle in
      isOpen.store(false, ordering: .releasing)
      return lifecycle.end(failure)
    }
    for waiter in waiters { waiter.fail(reason) }
    _ = subscribing.close()
    _ = unsubscribing.close()
    _ = renewals.close()
    for sleeper in sleepers.close() { sleeper.core.wake() }
    for feed in channels.close() {
      perform(feed.handle { $0.connectionLost(reason) }.action, for: feed)
      for subscriber in feed.subscribers { subscriber.finish() }
    }
    presence.end(because: reason)
    emitHeld()
    emit(BroadcastEvent(.ended, error: failure))
  }

  /// Runs the driver's sessions, and what the hub does beside them, until the task is cancelled or starting failed.
  private func runSessions(with driver: some BroadcastDriver) async -> BroadcastError? {
    await withTaskGroup(of: BroadcastError?.self) { group in
      group.addTask { await self.repeatSessions(with: driver) }
      group.addTask {
        await self.performRenewals()
        return nil
      }
      group.addTask {
        await self.wakeSleepers()
        return nil
      }
      if channels.keeper != nil {
        group.addTask {
          await self.keepTimeOfHistories()
          return nil
        }
      }
      // Each of them runs as long as the hub: when one returns, all is over.
      let failure = await group.next() ?? nil
      group.cancelAll()
      return failure
    }
  }

  // MARK: Sessions

  private func repeatSessions(with driver: some BroadcastDriver) async -> BroadcastError? {
    let clock = ContinuousClock()
    let start = clock.now
    var backoff = Backoff(shortest: configuration.shortestReconnectDelay, longest: configuration.longestReconnectDelay)
    var wasEverConnected = false
    while !Task.isCancelled {
      let inbox = DriverInbox(hub: self, session: lifecycle.withLock { $0.beginSession() })
      let began = clock.now
      guard let (error, wasConnected) = await runSession(of: driver, inbox) else { return nil }
      wasEverConnected = wasEverConnected || wasConnected
      // A broker that takes us in only to throw us out at once is no reason to come back faster.
      if wasConnected, clock.now - began > configuration.longestReconnectDelay { backoff.reset() }
      if !wasEverConnected, !error.isRetriable || clock.now - start >= configuration.connectPatience { return error }
      let delay = error.isRetriable ? backoff.next() : Backoff.spread(configuration.longestReconnectDelay)
      emit(BroadcastEvent(error.isRetriable ? .retrying : .refused, delay: delay, error: error))
      // The pause between two attempts. It fails only when the task is cancelled, which ends the loop.
      try? await Task.sleep(for: delay)
    }
    return nil
  }

  /// Runs one session beside the calls that are made in it. Nil when the task is cancelled.
  ///
  /// The calls end with it, and are waited for. One that would go on could reach the broker in the next session, behind
  /// what that has asked for.
  private func runSession(
    of driver: some BroadcastDriver, _ inbox: DriverInbox
  ) async -> (error: BroadcastError, wasConnected: Bool)? {
    await withTaskGroup(of: Void.self) { group in
      for calls in [subscribing, unsubscribing] { group.addTask { await self.perform(calls, with: driver) } }
      if capabilities.hasPresence { group.addTask { await self.keepPresence(with: driver) } }
      // The channels hear of the end before their calls are cancelled: what those throw then is no answer any more.
      defer { group.cancelAll() }
      let error: BroadcastError
      do throws(BroadcastError) {
        try await driver.run(inbox)
        error = BroadcastError(.unavailable, "The connection to the broker was closed.", isRetriable: true)
      } catch let thrown {
        error = thrown
      }
      return Task.isCancelled ? nil : (error, disconnected(because: error))
    }
  }

  func connected(session: Int) {
    let connected = lifecycle.withLock { lifecycle -> (waiters: [Latch], steps: [ChannelStep])? in
      guard let waiters = lifecycle.connected(session: session) else { return nil }
      presence.begin()
      isOpen.store(true, ordering: .releasing)
      return (waiters, tellChannels { $0.retry() })
    }
    guard let connected else { return }
    emit(BroadcastEvent(driver == nil ? .running : .connected))
    renew(connected.steps)
    presence.connected()
    for waiter in connected.waiters { waiter.succeed() }
  }

  /// The connection is gone while the session goes on, and with that all subscriptions: channels hear of nothing.
  func suspended(because error: BroadcastError, session: Int) {
    let isBeginning = lifecycle.withLock { lifecycle -> Bool? in
      guard let isBeginning = lifecycle.suspend(session: session, because: error) else { return nil }
      isOpen.store(false, ordering: .releasing)
      return isBeginning
    }
    guard let isBeginning else { return }
    emitHeld()
    emit(BroadcastEvent(isBeginning ? .connectionLost : error.isRetriable ? .retrying : .refused, error: error))
  }

  /// Returns whether the session had been connected.
  private func disconnected(because error: BroadcastError) -> Bool {
    let ended = lifecycle.withLock { lifecycle -> (steps: [ChannelStep], reason: BroadcastError, isBeginning: Bool)? in
      guard let (reason, isBeginning) = lifecycle.endSession(because: error) else { return nil }
      isOpen.store(false, ordering: .releasing)
      return (tellChannels { $0.connectionLost(reason) }, reason, isBeginning)
    }
    guard let ended else { return false }
    presence.perform { $0.lost(ended.reason) }
    for step in ended.steps { perform(step.action, for: step.feed) }
    emitHeld()
    // One that was suspended has told it.
    if ended.isBeginning { emit(BroadcastEvent(.connectionLost, error: error)) }
    return true
  }

  // MARK: What arrives

  func received(_ messages: [Message], on channel: Channel, session: Int) {
    received(deliveries: messages.map { .message($0) }, on: channel, session: session)
  }

  func received(deliveries: [Delivery], on channel: Channel, session: Int) {
    guard lifecycle.withLock({ $0.isCurrent(session) }), let feed = channels.feed(of: channel) else { return }
    if feed.isLinked { return finish(feed.arrived(deliveries), for: feed) }
    finishPublishing(feed.receive(deliveries))
  }

  func received(_ messages: [Message], matching pattern: ChannelPattern, session: Int) {
    guard lifecycle.withLock({ $0.isCurrent(session) }), let feed = channels.feed(of: pattern) else { return }
    // A broker does not know that the channels of probes are nobody's business.
    let deliveries = messages.lazy.filter { !$0.channel.isReserved }.map { Delivery.message($0) }
    if !deliveries.isEmpty { finishPublishing(feed.receive(Array(deliveries))) }
  }

  func missed(_ count: Int?, of topic: Topic, session: Int) {
    guard lifecycle.withLock({ $0.isCurrent(session) }), let feed = channels.feed(of: topic) else { return }
    let gap = Delivery.gap(Gap(topic, missed: count, reason: .brokerLoss))
    if feed.isLinked { return finish(feed.arrived([gap]), for: feed) }
    finishPublishing(feed.receive([gap]))
  }

  func missed(at position: MessagePosition, on channel: Channel, session: Int) {
    guard lifecycle.withLock({ $0.isCurrent(session) }), let feed = channels.feed(of: channel) else { return }
    guard feed.isLinked else { return missed(1, of: .channel(channel), session: session) }
    finish(feed.missed(at: position), for: feed)
  }

  func probed(after delay: Duration, session: Int) {
    let isNews = lifecycle.withLock { lifecycle in
      lifecycle.isCurrent(session) && lifecycle.probes.arrived(after: delay)
    }
    if isNews { emit(BroadcastEvent(.probeSlow, delay: delay)) }
  }

  // MARK: Waking

  private func wakeSleepers() async {
    while let some = await sleepers.next() {
      for sleeper in some { sleeper.core.wake() }
    }
  }
}
