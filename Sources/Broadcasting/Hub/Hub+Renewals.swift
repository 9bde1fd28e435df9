//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// A lost subscription that will be asked for again. There is at most one for a channel.
struct PlannedRenewal: Sendable {
  var feed: ChannelFeed
  var delay: Duration
}

extension Hub {
  /// Asks again for the channels that have readers and none of the broker's subscriptions.
  func renew(_ steps: [ChannelStep]) {
    let round = RenewalRound(count: steps.count { $0.action.call != nil })
    subscribing.append(
      steps.compactMap { step in step.action.call.map { DriverCall(feed: step.feed, call: $0, round: round) } })
    for step in steps where step.action.call == nil { perform(step.action, for: step.feed) }
  }

  /// The broker has ended a subscription.
  func lost(_ topic: Topic, because error: BroadcastError, reason: Gap.Reason, session: Int) {
    guard lifecycle.withLock({ $0.isCurrent(session) }), let feed = channels.feed(of: topic) else { return }
    let action = feed.handle { $0.subscriptionLost(error, reason) }.action
    perform(action, for: feed)
    if let error = action.loss { lost(feed, because: error) }
  }

  /// Tells of a subscription that has ended, and asks for it again later.
  func lost(_ feed: ChannelFeed, because error: BroadcastError) {
    emit(BroadcastEvent(.connectionLost, feed.topic, error: error))
    planRenewal(of: feed, after: error)
  }

  func planRenewal(of feed: ChannelFeed, after error: BroadcastError) {
    guard let delay = feed.planRenewal(after: error, configuration) else { return }
    emit(BroadcastEvent(error.isRetriable ? .retrying : .refused, feed.topic, delay: delay, error: error))
    renewals.append([PlannedRenewal(feed: feed, delay: delay)])
  }

  /// Asks again for subscriptions that were lost one by one, each at its time.
  func performRenewals() async {
    await withDiscardingTaskGroup { group in
      while let planned = await renewals.next() {
        for renewal in planned {
          group.addTask {
            // The pause before the next attempt. It fails only when the task is cancelled.
            try? await Task.sleep(for: renewal.delay)
            if !Task.isCancelled { self.renew(renewal.feed) }
          }
        }
      }
      group.cancelAll()
    }
  }

  private func renew(_ feed: ChannelFeed) {
    feed.renewalIsDue()
    // Without a connection the next one asks for all of them.
    renew(
      lifecycle.withLock { _ in
        isOpen.load(ordering: .relaxed) ? [ChannelStep(feed: feed, action: feed.handle { $0.retry() }.action)] : []
      })
  }
}
