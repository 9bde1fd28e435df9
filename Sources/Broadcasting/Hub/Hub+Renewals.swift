//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// What `run()` does after a while.
struct PlannedStep: Sendable {
  enum Action: Sendable {
    /// Asks again for a lost subscription. There is at most one for a channel.
    case renew(ChannelFeed)
    /// Tells the news that were held back. There is at most one.
    case tellNews
  }

  var action: Action
  var delay: Duration
}

extension Hub {
  /// Asks again for the channels that have readers and none of the broker's subscriptions.
  ///
  /// - Parameter isSingle: Whether it is one channel whose time has come, maybe among thousands of the same moment.
  func renew(_ steps: [ChannelStep], isSingle: Bool = false) {
    let round = RenewalRound(count: steps.count { $0.action.call != nil }, isSingle: isSingle)
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
    emitGathered(BroadcastEvent(.connectionLost, feed.topic, error: error))
    planRenewal(of: feed, after: error)
  }

  func planRenewal(of feed: ChannelFeed, after error: BroadcastError) {
    guard let delay = feed.planRenewal(after: error, configuration) else { return }
    emitGathered(BroadcastEvent(error.isRetriable ? .retrying : .refused, feed.topic, delay: delay, error: error))
    renewals.append([PlannedStep(action: .renew(feed), delay: delay)])
  }

  // MARK: News

  /// Tells of one channel, together with others of the same second.
  func emitGathered(_ event: BroadcastEvent) {
    let (events, beginsInterval) = renewalNews.withLock { $0.admit(event) }
    for event in events { emit(event) }
    if beginsInterval { planNews() }
  }

  /// Tells what was held back, before something that concerns all channels.
  func emitHeld() {
    for event in renewalNews.withLock({ $0.takeHeld() }) { emit(event) }
  }

  private func planNews() { renewals.append([PlannedStep(action: .tellNews, delay: RenewalNews.interval)]) }

  private func tellNews() {
    let events = renewalNews.withLock { $0.endInterval() }
    for event in events { emit(event) }
    if !events.isEmpty { planNews() }
  }

  // MARK: What is planned

  /// Asks again for subscriptions that were lost one by one, each at its time, and tells of them.
  func performRenewals() async {
    await withDiscardingTaskGroup { group in
      while let planned = await renewals.next() {
        for step in planned {
          group.addTask {
            // The pause before the next attempt. It fails only when the task is cancelled.
            try? await Task.sleep(for: step.delay)
            if Task.isCancelled { return }
            switch step.action {
            case .renew(let feed): self.renew(feed)
            case .tellNews: self.tellNews()
            }
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
      }, isSingle: true)
  }
}
