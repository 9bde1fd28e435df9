//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// One channel on one loop: what came for it, and who gets it. It belongs to the loop's ``FanOut``.
final class FrameFeed {
  let channel: Channel
  let subscription: Subscription
  var log = SegmentLog<FrameBatch>()
  private(set) var members: [Member] = []

  /// Messages that were ever taken from the subscription.
  private(set) var taken = 0

  /// Who subscribed while messages from before were still on their way to this loop. Those are not for them.
  private var newcomers: [(member: Member, after: Int)] = []

  /// Sockets that still wait for another one of their channels.
  var reservations = 0

  /// Set at the first message that is missing, and at the end of the subscription. Nothing comes any more: whoever has
  /// got what the log holds is closed with this.
  var closure: WebSocketClosure?

  // The sweep over the members that is under way.
  var sweepsLeft = 0
  var nextToSweep = 0
  var isScheduled = false
  var hasMore = false

  init(_ channel: Channel, _ subscription: Subscription) {
    self.channel = channel
    self.subscription = subscription
  }

  var isUnused: Bool { members.isEmpty && newcomers.isEmpty && reservations == 0 }

  func reserved() -> FrameFeed {
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
    // With nobody to read it, it would stay.
    if !members.isEmpty {
      log.append(contentsOf: [batch], age: age)
      log.trim(to: limits)
    }
    while let first = newcomers.first, first.after <= taken { admit(newcomers.removeFirst().member) }
  }

  /// Takes out a member, and puts the last one in its place.
  ///
  /// - Returns: the one that has moved, if there is one.
  func remove(_ member: Member) -> Member? {
    newcomers.removeAll { $0.member === member }
    guard let place = member.places.removeValue(of: self), let cursor = place.cursor else { return nil }
    log.remove(cursor)
    let last = members.removeLast()
    if last === member { return nil }
    members[place.index] = last
    last.places.setIndex(place.index, in: self)
    return last
  }

  /// The end, for those who would only have been let in later too.
  func admitAll() {
    for newcomer in newcomers { admit(newcomer.member) }
    newcomers = []
  }

  private func admit(_ member: Member) {
    member.places.admit(to: self, at: log.makeCursor(), index: members.count)
    members.append(member)
  }
}
