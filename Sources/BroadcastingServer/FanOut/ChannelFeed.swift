//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// A channel, and how its messages become frames: two forms are two feeds.
struct FeedKey: Hashable, Sendable {
  var channel: Channel
  var form: FrameForm
}

/// One channel on one loop: what came for it, and who gets it.
final class ChannelFeed: FrameFeed {
  let key: FeedKey
  let subscription: Subscription
  let encoding: FrameEncoding

  /// Who subscribed while messages from before were still on their way to this loop. Those are not for them.
  private var newcomers: [(member: Member, after: Int)] = []

  /// The position of the last message that was taken into the log, at first that behind which the subscription begins. Nil
  /// for a channel without a history.
  private(set) var last: MessagePosition?

  /// What is being read for sockets that begin in the past, and what was read last, as long as one of them has it.
  var pasts: [PastKey: SocketPast] = [:]
  weak var lastPast: SocketPast?

  init(_ key: FeedKey, _ subscription: Subscription) {
    self.key = key
    self.subscription = subscription
    last = subscription.recovery(of: key.channel)?.head
    encoding = FrameEncoding(key.channel, key.form, hasHistory: last != nil)
  }

  override var isUnused: Bool { super.isUnused && newcomers.isEmpty }

  func reserved() -> ChannelFeed {
    reservations += 1
    return self
  }

  /// How many messages to take before the next newcomer must be let in.
  var messagesUntilNewcomer: Int { newcomers.first.map { $0.after - taken } ?? .max }

  func add(_ member: Member) {
    member.places.append(Member.Place(feed: self))
    let unread = subscription.unreadMessages
    if unread == 0, newcomers.isEmpty { admit(member) } else { newcomers.append((member, taken + unread)) }
  }

  /// Appends what was taken.
  func append(_ batch: FrameBatch, age: Int, limits: LogLimits) {
    taken += batch.messageCount
    if last != nil, let position = batch.position { last = position }
    // With nobody to read it, it would stay.
    if !readers.isEmpty { log.append(batch.bytes, messages: batch.messageCount, age: age, limits: limits) }
    while let first = newcomers.first, first.after <= taken { admit(newcomers.removeFirst().member) }
  }

  override func remove(_ member: Member) -> Member? {
    newcomers.removeAll { $0.member === member }
    return super.remove(member)
  }

  /// The end, for those who would only have been let in later too.
  func admitAll() {
    for newcomer in newcomers { admit(newcomer.member) }
    newcomers = []
  }

  override func admit(_ member: Member) {
    super.admit(member)
    guard let opening = member.opening else { return }
    opening.begins(at: last, in: self)
    // It waits for this.
    member.sleeper.take()?.resume()
  }

  /// Moves a member that has got nothing yet to the end of the log.
  func moveToEnd(_ member: Member) {
    guard let index = member.places.first(where: { $0.feed === self })?.index else { return }
    log.remove(readers[index].cursor)
    readers[index].cursor = log.makeCursor()
    member.opening?.begins(at: last, in: self)
  }
}
