//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// Frames on one loop that are the same for all who read them, and who they are. It belongs to the loop's ``FanOut``.
///
/// What comes is a channel's (``ChannelFeed``), or changes of a live resource (``LiveFeed``).
class FrameFeed {
  /// A member's place in the log, and all that a sweep needs of it: a socket that keeps up gets what is new without a
  /// look at the member.
  struct Reader {
    let member: Member
    var cursor: LogCursor
    /// Where its frames go. Nil where something else has to be looked at first, as ``Member/updateDirectOutlet()`` knows.
    var directOutlet: WebSocketTransport?
  }

  final var log = ByteLog()
  final var readers: [Reader] = []

  /// Messages that were ever taken into it.
  final var taken = 0

  /// Sockets that are still to come.
  final var reservations = 0

  /// Set at the first message that is missing, and at the end of the subscription. Nothing comes any more: whoever has
  /// got what the log holds is closed with this.
  final var closure: WebSocketClosure?

  /// Whether the broker is why it ends, so that all of its sockets on every server come back.
  final var endsForAll = false

  // The sweep over the members that is under way.
  final var sweepsLeft = 0
  final var nextToSweep = 0
  final var isScheduled = false
  final var hasMore = false
  private final var sweepBegan = ContinuousClock.now
  private final var takenBefore = 0
  private(set) final var restsUntil: ContinuousClock.Instant?

  var isUnused: Bool { readers.isEmpty && reservations == 0 }

  /// Takes out a member, and puts the last one in its place.
  ///
  /// - Returns: the one that has moved, if there is one.
  func remove(_ member: Member) -> Member? {
    guard let index = member.places.first(where: { $0.feed === self })?.index else { return nil }
    log.remove(readers[index].cursor)
    let last = readers.removeLast()
    if last.member === member { return nil }
    readers[index] = last
    last.member.setIndex(index, in: self)
    return last.member
  }

  /// Lets a member read what is appended from now on.
  func admit(_ member: Member) {
    readers.append(Reader(member: member, cursor: log.makeCursor()))
    // The sweep that is under way may have begun in the middle: then it comes by the end of the array before it is done.
    if sweepsLeft > 0 { sweepsLeft += 1 }
    member.setIndex(readers.count - 1, in: self)
    member.updateDirectOutlet()
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
