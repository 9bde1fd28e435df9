//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

extension Hub {
  public func subscribe(
    to channels: [Channel], options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    var seen: Set<Channel> = []
    let wanted = channels.filter { seen.insert($0).inserted }
    guard !wanted.isEmpty else {
      throw .invalidChannel("A subscription needs at least one channel.")
    }
    guard wanted.count <= SubscriptionOptions.maximumChannels else {
      throw .tooManyChannels(wanted.count, limit: SubscriptionOptions.maximumChannels)
    }
    for channel in wanted { try channel.validate() }
    try check(options, wanted)
    try await admit()
    if Task.isCancelled { throw .cancelled }
    return try await join(wanted.map { .channel($0) }, options)
  }

  public func subscribe(
    to pattern: ChannelPattern, options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    guard capabilities.hasPatterns else { throw .patternsUnsupported }
    try pattern.validate()
    guard options.start == .live, options.starts.isEmpty else {
      throw BroadcastError(
        .unsupportedHistory, "A pattern has no history. Subscribe to \(pattern) from .live, without `starts`.")
    }
    try await admit()
    if Task.isCancelled { throw .cancelled }
    return try await join([.pattern(pattern)], options)
  }

  /// Subscribes somebody who has been admitted. The connection may have gone since.
  func join(_ wanted: [Topic], _ options: SubscriptionOptions) async throws(BroadcastError) -> Subscription {
    let core = SubscriptionCore(hub: self, overflow: options.buffer.overflow)
    let latch = driver == nil ? nil : Latch(count: wanted.count)
    var memberships: [SubscriptionCore.Membership] = []
    memberships.reserveCapacity(wanted.count)
    var commands: [DriverCall] = []
    for topic in wanted {
      guard
        let (feed, slot, joining) = channels.join(
          topic, core, limits: options.buffer.limits, start: topic.channel.map(options.start(of:)) ?? .live,
          latch: latch, isConnected: { isOpen.load(ordering: .relaxed) })
      else {
        latch?.fail(lifecycle.withLock { $0.endReason })
        break
      }
      memberships.append(.init(feed: feed, slot: slot, latch: latch))
      switch joining {
      case .ready: latch?.succeed()
      case .refused: latch?.fail(.noHistory(of: topic.channel ?? ""))
      case .wait(let call): if let call { commands.append(.init(feed: feed, call: call)) }
      }
    }
    subscribing.append(commands)
    let subscription = Subscription(core: core, topics: wanted)
    // From here on, giving up the subscription leaves all channels.
    guard core.begin(memberships), memberships.count == wanted.count else {
      core.close()
      for membership in memberships { leave(membership, core) }
      throw lifecycle.withLock { $0.endReason }
    }
    // A connection that was lost since `admit` has told its waiters before these were among them.
    if latch != nil, case .refuse(let error) = lifecycle.withLock({ $0.admit(nil) }) { latch?.fail(error) }
    try await latch?.wait()
    if channels.keeper != nil {
      core.setRecoveries(memberships.map { $0.feed.recovery($0.slot, of: core) ?? Recovery() })
    }
    return subscription
  }

  func leave(_ membership: SubscriptionCore.Membership, _ core: SubscriptionCore) {
    guard let action = membership.feed.leave(membership.slot, of: core, latch: membership.latch) else { return }
    perform(action, for: membership.feed)
  }

  /// Does what a channel's state machine asks for.
  func perform(_ action: ChannelFeed.Machine.Action, for feed: ChannelFeed) {
    if let call = action.call {
      (call.isUnsubscribe ? unsubscribing : subscribing).append([.init(feed: feed, call: call)])
    }
    if let error = action.error {
      for waiter in action.waiters { waiter.latch.fail(error) }
    } else {
      for waiter in action.waiters { waiter.latch.succeed() }
    }
    if action.isIdle { channels.removeIfIdle(feed) }
  }
}
