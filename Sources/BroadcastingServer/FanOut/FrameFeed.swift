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

/// One channel on one loop: what came for it, and who gets it. It belongs to the loop's ``FanOut``.
final class FrameFeed {
  /// A member's place in the log, and all that a sweep needs of it: a socket that keeps up gets what is new without a
  /// look at the member.
  struct Reader {
    let member: Member
    var cursor: LogCursor
    /// Where its frames go. Nil where something else has to be looked at first, as ``Member/updateDirectOutlet()`` knows.
    var directOutlet: WebSocketTransport?
  }

  let key: FeedKey
  let subscription: Subscription
  let encoding: FrameEncoding
  var log = ByteLog()
  var readers: [Reader] = []

  /// Messages that were ever taken from the subscription.
  private(set) var taken = 0

  /// Who subscribed while messages from before were still on their way to this loop. Those are not for them.
  private var newcomers: [(member: Member, after: Int)] = []

  /// The position of the last message that was taken into the log, at first that behind which the subscription begins. Nil
  /// for a channel without a history.
  private(set) var last: MessagePosition?

  /// What is being read for sockets that begin in the past, and what was read last, as long as one of them has it.
  var pasts: [PastKey: SocketPast] = [:]
  weak var lastPast: SocketPast?

  /// Sockets that still wait for another one of their channels.
  var reservations = 0

  /// Set at the first message that is missing, and at the end of the subscription. Nothing comes any more: whoever has
  /// got what the log holds is closed with this.
  var closure: WebSocketClosure?

  /// Whether the broker is why it ends, so that all of its sockets on every server come back.
  var endsForAll = false

  // The sweep over the members that is under way.
  var sweepsLeft = 0
  var nextToSweep = 0
  var isScheduled = false
  var hasMore = false
  private var sweepBegan = ContinuousClock.now
  private var takenBefore = 0
  private var restsUntil: ContinuousClock.Instant?

  init(_ key: FeedKey, _ subscription: Subscription) {
    self.key = key
    self.subscription = subscription
    last = subscription.recovery(of: key.channel)?.head
    encoding = FrameEncoding(key.channel, key.form, hasHistory: last != nil)
  }

  var isUnused: Bool { readers.isEmpty && newcomers.isEmpty && reservations == 0 }

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
    if last != nil, let position = batch.position { last = position }
    // With nobody to read it, it would stay.
    if !readers.isEmpty { log.append(batch.bytes, messages: batch.messageCount, age: age, limits: limits) }
    while let first = newcomers.first, first.after <= taken { admit(newcomers.removeFirst().member) }
  }

  /// Takes out a member, and puts the last one in its place.
  ///
  /// - Returns: the one that has moved, if there is one.
  func remove(_ member: Member) -> Member? {
    newcomers.removeAll { $0.member === member }
    guard let index = member.places.first(where: { $0.feed === self })?.index else { return nil }
    log.remove(readers[index].cursor)
    let last = readers.removeLast()
    if last.member === member { return nil }
    readers[index] = last
    last.member.setIndex(index, in: self)
    return last.member
  }

  /// The end, for those who would only have been let in later too.
  func admitAll() {
    for newcomer in newcomers { admit(newcomer.member) }
    newcomers = []
  }

  private func admit(_ member: Member) {
    readers.append(Reader(member: member, cursor: log.makeCursor()))
    // The sweep that is under way may have begun in the middle: then it comes by the end of the array before it is done.
    if sweepsLeft > 0 { sweepsLeft += 1 }
    member.setIndex(readers.count - 1, in: self)
    member.updateDirectOutlet()
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

  // MARK: Rests

  func beginSweep() {
    sweepBegan = .now
    takenBefore = taken
  }

  /// Where messages come faster than one for each sweep, the next sweep leaves them a moment to gather: half as long as
  /// this one took. What it lacks at the front it makes up by fewer system calls, for whoever answers a message by
  /// another does so just behind the sweep.
  func rest(atMost longest: Duration) {
    guard taken - takenBefore > 1 else { return restsUntil = nil }
    let now = ContinuousClock.now
    restsUntil = now + min(longest, (now - sweepBegan) / 2)
  }

  /// Whether it is too early for the next sweep.
  var isResting: Bool {
    guard let restsUntil, ContinuousClock.now < restsUntil else { return false }
    return true
  }
}
