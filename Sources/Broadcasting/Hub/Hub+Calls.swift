//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// What a channel asks for after it was told something.
struct ChannelStep: Sendable {
  var feed: ChannelFeed
  var action: ChannelFeed.Machine.Action
}

extension Hub {
  /// Tells all channels something. The caller holds the lifecycle's lock, and performs the steps without it.
  func tellChannels(_ event: (inout ChannelFeed.Machine) -> ChannelFeed.Machine.Action) -> [ChannelStep] {
    channels.feeds.map { ChannelStep(feed: $0, action: $0.handle(event).action) }
  }

  /// Makes the calls that the channels ask for, many at once, as children of the session: so no call ends because a
  /// subscriber who waited for it was cancelled.
  func performCalls(with driver: some BroadcastDriver) async {
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
    var isRenewed = false
    // A call from before a lost connection, which nobody waits for any more, may come here in the next session.
    if !Task.isCancelled, feed.awaits(command.call) {
      switch command.call {
      case .unsubscribe(let number):
        try? await driver.unsubscribe(from: feed.channel)
        finish(feed.handle { $0.unsubscribed(number: number) }, for: feed)
      case .subscribe(let number):
        do throws(BroadcastError) {
          try await driver.subscribe(to: feed.channel)
          let result = feed.handle { $0.subscribed(number: number) }
          isRenewed = result.action.isResubscribed
          finish(result, for: feed)
        } catch {
          // Cancelled with its session, or with the hub. The channel hears of that, and its waiters get that reason.
          if Task.isCancelled { return }
          let result = feed.handle { $0.subscribeFailed(number: number, error) }
          if result.action.retriesLater { emit(BroadcastEvent(.refused, channel: feed.channel, error: error)) }
          finish(result, for: feed)
        }
      }
    }
    if !Task.isCancelled, let count = command.round?.finish(isRenewed: isRenewed) {
      emit(BroadcastEvent(.resubscribed, count: count))
    }
  }

  private func finish(
    _ result: (action: ChannelFeed.Machine.Action, woken: [ChannelFeed.Sleeper]), for feed: ChannelFeed
  ) {
    perform(result.action, for: feed)
    finishPublishing(result.woken)
    if result.action.retriesLater { hasRefused.store(true, ordering: .releasing) }
  }

  // MARK: Renewing

  /// Asks again for the channels that have readers and none of the broker's subscriptions.
  func renew(_ steps: [ChannelStep]) {
    let round = RenewalRound(count: steps.count { $0.action.call != nil })
    calls.append(
      steps.compactMap { step in step.action.call.map { DriverCall(feed: step.feed, call: $0, round: round) } })
    for step in steps where step.action.call == nil { perform(step.action, for: step.feed) }
  }

  /// Asks again, slowly, for renewals that the broker refused.
  func retryRefused() async {
    while !Task.isCancelled {
      // A broker that has refused is not asked in a loop, also where reconnecting may not wait at all. The sleep fails only
      // when the task is cancelled, which the next line sees.
      try? await Task.sleep(for: max(.milliseconds(1), configuration.longestReconnectDelay))
      guard !Task.isCancelled, hasRefused.exchange(false, ordering: .acquiring) else { continue }
      // Without a connection the next one asks for all of them.
      renew(lifecycle.withLock { _ in isOpen.load(ordering: .relaxed) ? tellChannels { $0.retry() } : [] })
    }
  }
}
