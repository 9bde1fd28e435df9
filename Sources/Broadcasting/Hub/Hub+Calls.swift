//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

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
  func perform(_ calls: Mailbox<DriverCall>, with driver: some BroadcastDriver) async {
    let slots = CallSlots(count: max(1, driver.maximumCallsAtOnce))
    // It keeps nothing of a child that has ended, however seldom all slots are taken.
    await withDiscardingTaskGroup { group in
      while let commands = await calls.next() {
        for command in commands {
          await slots.take()
          group.addTask {
            await self.perform(command, with: driver)
            slots.give()
          }
        }
      }
      group.cancelAll()
    }
  }

  private func perform(_ command: DriverCall, with driver: some BroadcastDriver) async {
    let feed = command.feed
    var isRenewed = false
    // A call from before a lost connection, which nobody waits for any more, may come here in the next session.
    if !Task.isCancelled, feed.begin(command.call) {
      switch command.call {
      case .unsubscribe(let number):
        try? await unsubscribe(driver, from: feed.topic)
        finish(feed.handle { $0.unsubscribed(number: number) }, for: feed)
      case .catchUp(let number):
        var failure: BroadcastError?
        do throws(BroadcastError) { try await catchUp(driver, with: feed.topic) } catch { failure = error }
        // As below.
        if failure != nil, Task.isCancelled { return }
        let result = feed.handle { [failure] in $0.caughtUp(number: number, failure) }
        finish(result, for: feed)
        if let error = result.action.loss { lost(feed, because: error) }
      case .load(let number):
        await load(feed, number: number, with: driver)
      case .subscribe(let number):
        do throws(BroadcastError) {
          if feed.isLinked {
            isRenewed = try await open(feed, number: number, with: driver)
          } else {
            try await subscribe(driver, to: feed.topic)
            let result = feed.handle { $0.subscribed(number: number) }
            isRenewed = result.action.isResubscribed
            finish(result, for: feed)
            if let error = result.action.loss { lost(feed, because: error) }
          }
        } catch {
          // Cancelled with its session, or with the hub. The channel hears of that, and its waiters get that reason.
          if Task.isCancelled { return }
          let result = feed.handle { $0.subscribeFailed(number: number, error) }
          finish(result, for: feed)
          if result.action.loss != nil { planRenewal(of: feed, after: error) }
        }
      }
    }
    if !Task.isCancelled, let round = command.round, let count = round.finish(isRenewed: isRenewed) {
      let event = BroadcastEvent(.resubscribed, count: count)
      if round.isSingle { emitGathered(event) } else { emit(event) }
    }
  }

  private func subscribe(_ driver: some BroadcastDriver, to topic: Topic) async throws(BroadcastError) {
    switch topic {
    case .channel(let channel): try await driver.subscribe(to: channel)
    case .pattern(let pattern): try await driver.subscribe(to: pattern)
    }
  }

  private func catchUp(_ driver: some BroadcastDriver, with topic: Topic) async throws(BroadcastError) {
    // Patterns have no fences.
    if case .channel(let channel) = topic { try await driver.catchUp(with: channel) }
  }

  private func unsubscribe(_ driver: some BroadcastDriver, from topic: Topic) async throws(BroadcastError) {
    switch topic {
    case .channel(let channel): try await driver.unsubscribe(from: channel)
    case .pattern(let pattern): try await driver.unsubscribe(from: pattern)
    }
  }

  private func finish(
    _ result: (action: ChannelFeed.Machine.Action, woken: [ChannelFeed.Sleeper]), for feed: ChannelFeed
  ) {
    perform(result.action, for: feed)
    finishPublishing(result.woken)
  }
}
