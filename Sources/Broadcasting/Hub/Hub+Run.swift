//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

extension Hub {
  public func run() async throws(BroadcastError) {
    try lifecycle.withLock { lifecycle throws(BroadcastError) in try lifecycle.start() }
    let failure: BroadcastError?
    if let driver {
      failure = await runSessions(with: driver)
    } else {
      let session = lifecycle.withLock { $0.beginSession() }
      connected(session: session)
      await wakeSleepers()
      failure = nil
    }
    end(failure)
    if let failure { throw failure }
  }

  private func end(_ failure: BroadcastError?) {
    isOpen.store(false, ordering: .releasing)
    for waiter in lifecycle.withLock({ $0.end() }) { waiter.fail(failure ?? .ended) }
    _ = calls.close()
    for sleeper in sleepers.close() { sleeper.core.wake() }
    for feed in channels.close() {
      perform(feed.handle { $0.connectionLost(.ended) }.action, for: feed)
      for subscriber in feed.subscribers { subscriber.finish() }
    }
    emit(BroadcastEvent(.ended, error: failure))
  }

  /// Runs the driver's sessions and its calls beside each other, until the task is cancelled or starting failed.
  private func runSessions(with driver: some BroadcastDriver) async -> BroadcastError? {
    await withTaskGroup(of: BroadcastError?.self) { group in
      group.addTask { await self.repeatSessions(with: driver) }
      group.addTask {
        await self.performCalls(with: driver)
        return nil
      }
      group.addTask {
        await self.retryRefused()
        return nil
      }
      group.addTask {
        await self.wakeSleepers()
        return nil
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
      let error = await runSession(of: driver, inbox)
      if Task.isCancelled { return nil }
      let wasConnected = disconnected(because: error)
      wasEverConnected = wasEverConnected || wasConnected
      // A broker that takes us in only to throw us out at once is no reason to come back faster.
      if wasConnected, clock.now - began > configuration.longestReconnectDelay { backoff.reset() }
      if !wasEverConnected, !error.isRetriable || clock.now - start > configuration.startPatience { return error }
      let delay = error.isRetriable ? backoff.next() : configuration.longestReconnectDelay
      emit(BroadcastEvent(error.isRetriable ? .retrying : .refused, delay: delay, error: error))
      try? await Task.sleep(for: delay)
    }
    return nil
  }

  private func runSession(of driver: some BroadcastDriver, _ inbox: DriverInbox) async -> BroadcastError {
    do throws(BroadcastError) {
      try await driver.run(inbox)
      return BroadcastError(.unavailable, "The connection to the broker was closed.", isRetriable: true)
    } catch {
      return error
    }
  }

  func connected(session: Int) {
    guard let waiters = lifecycle.withLock({ $0.connected(session: session) }) else { return }
    isOpen.store(true, ordering: .releasing)
    emit(BroadcastEvent(driver == nil ? .running : .connected))
    renew()
    for waiter in waiters { waiter.succeed() }
  }

  /// Asks again for every channel that has none of the broker's subscriptions although it has readers.
  private func renew() {
    let commands = channels.feeds.compactMap { feed -> DriverCall? in
      let action = feed.handle { $0.retry() }.action
      guard let call = action.call else {
        perform(action, for: feed)
        return nil
      }
      return .init(feed: feed, call: call)
    }
    renewals.withLock { $0.begin(commands.count) }
    calls.append(commands)
  }

  /// Returns whether the session had been connected.
  private func disconnected(because error: BroadcastError) -> Bool {
    // Closed first: whoever passes it afterwards finds the phase.
    isOpen.store(false, ordering: .releasing)
    guard let reason = lifecycle.withLock({ $0.endSession(because: error) }) else { return false }
    for feed in channels.feeds { perform(feed.handle { $0.connectionLost(reason) }.action, for: feed) }
    emit(BroadcastEvent(.connectionLost, error: error))
    return true
  }

  // MARK: What arrives

  func received(_ messages: [Message], on channel: Channel, session: Int) {
    guard lifecycle.withLock({ $0.isCurrent(session) }), let feed = channels.feed(of: channel) else { return }
    finishPublishing(feed.receive(messages.map { .message($0) }))
  }

  func missed(_ count: Int?, on channel: Channel, session: Int) {
    guard lifecycle.withLock({ $0.isCurrent(session) }), let feed = channels.feed(of: channel) else { return }
    finishPublishing(feed.receive([.gap(Gap(channel: channel, missed: count, reason: .brokerLoss))]))
  }

  // MARK: Waking

  private func wakeSleepers() async {
    while let some = await sleepers.next() {
      for sleeper in some { sleeper.core.wake() }
    }
  }

  // MARK: Calls

  /// Makes the calls that the channels ask for, many at once, as children of `run()`: so no call ends because a
  /// subscriber who waited for it was cancelled.
  private func performCalls(with driver: some BroadcastDriver) async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      while let commands = await calls.next() {
        for command in commands {
          if running == DriverCall.maximumAtOnce {
            await group.next()
            running -= 1
          }
          group.addTask { await self.perform(command, with: driver) }
          running += 1
        }
      }
      group.cancelAll()
    }
  }

  private func perform(_ command: DriverCall, with driver: some BroadcastDriver) async {
    let feed = command.feed
    // It may have waited while the connection was lost.
    guard feed.awaits(command.call) else { return }
    let result: (action: ChannelFeed.Machine.Action, woken: [ChannelFeed.Sleeper])
    switch command.call {
    case .unsubscribe(let number):
      try? await driver.unsubscribe(from: feed.channel)
      result = feed.handle { $0.unsubscribed(number: number) }
    case .subscribe(let number):
      do throws(BroadcastError) {
        try await driver.subscribe(to: feed.channel)
        result = feed.handle { $0.subscribed(number: number) }
      } catch {
        result = feed.handle { $0.subscribeFailed(number: number, error) }
        if result.action.retriesLater { emit(BroadcastEvent(.refused, channel: feed.channel, error: error)) }
      }
    }
    perform(result.action, for: feed)
    finishPublishing(result.woken)
    if result.action.retriesLater { renewals.withLock { $0.refuse() } }
    if result.action.isResubscribed, let count = renewals.withLock({ $0.succeed() }) {
      emit(BroadcastEvent(.resubscribed, count: count))
    }
  }

  /// Asks again, slowly, for renewals that the broker refused.
  private func retryRefused() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: configuration.longestReconnectDelay)
      if !Task.isCancelled, isOpen.load(ordering: .acquiring), renewals.withLock({ $0.takeRefused() }) { renew() }
    }
  }
}

/// Counts the renewals of subscriptions after a lost connection.
struct Renewals: Sendable {
  private var remaining = 0
  private var done = 0
  private var hasRefused = false

  mutating func begin(_ count: Int) {
    remaining = count
    done = 0
  }

  /// Returns how many were renewed, with the last of them.
  mutating func succeed() -> Int? {
    done += 1
    remaining -= 1
    return remaining == 0 ? done : nil
  }

  mutating func refuse() {
    remaining -= 1
    hasRefused = true
  }

  mutating func takeRefused() -> Bool {
    defer { hasRefused = false }
    return hasRefused
  }
}
