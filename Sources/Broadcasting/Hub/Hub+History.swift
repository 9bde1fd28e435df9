//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Histories at a broker.
extension Hub {
  /// Subscribes to a channel that has, or may have, a history. Returns whether that renewed it.
  func open(_ feed: ChannelFeed, number: Int, with driver: some BroadcastDriver) async throws(BroadcastError) -> Bool {
    guard case .channel(let channel) = feed.topic else { return false }
    let step = feed.opened(number: number, try await driver.open(channel))
    finish(step, for: feed)
    if let error = step.action.loss { lost(feed, because: error) }
    return step.action.isResubscribed
  }

  /// How long a hole that could not be read waits for the other attempt, at most. A broker that has just failed mostly fails at
  /// once again; what arrives meanwhile is held back, so it is short.
  static let pauseBeforeAnotherAttempt = Duration.milliseconds(200)

  /// Reads what is missing, for waiters or for those who missed it, until nothing is.
  func load(_ feed: ChannelFeed, number: Int, with driver: some BroadcastDriver) async {
    guard case .channel(let channel) = feed.topic else { return }
    var answer: HistoryLink.Answer?
    while true {
      let step = feed.load(number: number, answer)
      finish(step, for: feed)
      guard let question = step.question else { return }
      if case .failedHole? = answer {
        // It fails only when the task is cancelled. Others have failed in the same moment, so each waits another time.
        try? await Task.sleep(for: Backoff.spread(Self.pauseBeforeAnotherAttempt))
        if Task.isCancelled { return }
      }
      do throws(BroadcastError) {
        switch question {
        case .hole(let query): answer = .hole(try await driver.history(of: channel, query))
        case .past(let query): answer = .past(try await driver.history(of: channel, query))
        }
      } catch {
        // Cancelled with its session: the channel hears of that.
        if Task.isCancelled { return }
        answer = if case .hole = question { .failedHole } else { .failedPast(error) }
      }
    }
  }

  /// Does what follows when something arrived at a channel with a history, or was read.
  func finish(_ step: ChannelFeed.HistoryStep, for feed: ChannelFeed) {
    perform(step.action, for: feed)
    if let failure = step.failure { for waiter in step.failed { waiter.latch.fail(failure) } }
    finishPublishing(step.woken)
    if let count = step.filled { emitGathered(BroadcastEvent(.filled, feed.topic, count: count)) }
    if let count = step.unrecorded { emit(BroadcastEvent(.unrecorded, feed.topic, count: count)) }
  }

  // MARK: Asking without subscribing

  /// Reads what a broker keeps. The limit is taken as the nearest allowed one.
  func askedHistory(
    of channel: Channel, from start: SubscriptionStart, limit: Int, with driver: any BroadcastDriver
  ) async throws(BroadcastError) -> History {
    if start == .live {
      let page = try await driver.history(of: channel, HistoryQuery(.live, maximumMessages: 1))
      return History(channel: channel, head: page.head == .beginning ? nil : page.head)
    }
    var (limit, known) = (min(max(1, limit), History.maximumMessages), MessagePosition?.none)
    switch start.value {
    case .live: break
    case .last(let count): limit = min(limit, count)
    case .after(let position): known = position
    }
    var history = History(channel: channel, hasMore: true)
    var merge = HistoryMerge(channel, after: known)
    var (bytes, next) = (0, start)
    while history.hasMore {
      let room = HistoryQuery(
        next, maximumMessages: min(256, max(1, limit - history.messages.count)),
        maximumBytes: min(1 << 20, max(1, History.maximumBytes - bytes)))
      let page = try await driver.history(of: channel, room)
      let fitting = page.messages.prefix(limit - history.messages.count)
      history.messages += fitting
      bytes += fitting.reduce(0) { $0 + $1.keptBytes }
      merge.add(fitting)
      history.head = page.head == .beginning ? nil : page.head
      history.hasMore = !page.reachesHead || fitting.count < page.messages.count
      if !history.hasMore { merge.reach(page.head) }
      guard let last = fitting.last?.position, history.messages.count < limit, bytes < History.maximumBytes else {
        break
      }
      next = .after(last)
    }
    history.isComplete = merge.isComplete
    return history
  }
}
