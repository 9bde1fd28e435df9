//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// What is at hand goes out: to all sockets of a channel in a sweep, or to one that can take something again.
extension FanOut {
  /// Bytes in one write to a socket that is behind.
  private static let bytesPerWrite = 256 * 1024

  /// How long a feed rests at most between two sweeps.
  private static let longestRest = Duration.microseconds(250)

  // MARK: Sweeps

  func hasNews(_ key: FeedKey) {
    guard let feed = feeds[key] else { return }
    feed.hasMore = true
    // Where a sweep is under way it goes on by itself, and takes what is new at its end.
    if feed.sweepsLeft == 0 { schedule(feed) }
  }

  /// At the end of the turn, so that all that the turn brings goes out together.
  func schedule(_ feed: FrameFeed) {
    if feed.isScheduled { return }
    feed.isScheduled = true
    loop.atTurnEnd { self.advance(feed) }
  }

  /// One step of a feed: takes what is new, and serves some of the sockets. The rest waits for the next turn.
  private func advance(_ feed: FrameFeed) {
    feed.isScheduled = false
    if feed.sweepsLeft == 0, feed.hasMore, !feed.isResting, let feed = feed as? ChannelFeed {
      feed.beginSweep()
      if take(feed) { feed.sweepsLeft = feed.readers.count }
    }
    if feed.sweepsLeft > 0 {
      let before = feed.log.heldBytes
      sweep(feed)
      let change = feed.log.heldBytes - before
      if change != 0 { budget.add(change) }
      if feed.sweepsLeft == 0 { feed.rest(atMost: Self.longestRest) }
    }
    if feed.sweepsLeft > 0 || feed.hasMore {
      loop.inNextTurn { self.schedule(feed) }
    } else if let feed = feed as? LiveFeed {
      isSwept(feed)
    }
  }

  private func sweep(_ feed: FrameFeed) {
    let newest = feed.log.newest
    // At the end of a feed each member has to be closed too.
    let isDirect = feed.closure == nil
    var count = min(feed.sweepsLeft, socketsPerSweep)
    feed.sweepsLeft -= count
    while count > 0, !feed.readers.isEmpty {
      count -= 1
      if feed.nextToSweep >= feed.readers.count { feed.nextToSweep = 0 }
      let index = feed.nextToSweep
      feed.nextToSweep += 1
      if isDirect, let outlet = feed.readers[index].directOutlet, feed.log.passNewest(&feed.readers[index].cursor) {
        if !outlet.deliver(newest) { wait(feed.readers[index].member) }
      } else {
        pump(feed.readers[index].member, in: feed)
      }
    }
    feed.log.forgetNewest()
  }

  // MARK: One socket

  /// Writes what is at hand for a member.
  func pump(_ member: Member) { pump(member, in: nil) }

  /// - Parameter swept: the feed whose account is kept by the caller.
  private func pump(_ member: Member, in swept: FrameFeed?) {
    guard let outlet = member.outlet, member.closure == nil else { return }
    if member.isWaiting {
      // As soon as it is known, and not only when its socket takes something again.
      if member.isBehind(limits) { fallBehind(member) }
      return
    }
    while let first = next(for: member, in: swept) {
      let isTaken: Bool
      if let second = next(for: member, in: swept) {
        var batches = [first, second]
        var size = first.count + second.count
        while size < Self.bytesPerWrite, let more = next(for: member, in: swept) {
          batches.append(more)
          size += more.count
        }
        isTaken = outlet.deliver(batches[...])
      } else {
        isTaken = outlet.deliver(first)
      }
      if !isTaken { return wait(member) }
    }
    if member.closure == nil, let feed = member.places.lazy.map(\.feed).first(where: { $0.closure != nil }) {
      close(member, atEndOf: feed)
    }
  }

  /// A member missed messages. A live resource has a state that makes up for it.
  private func fallBehind(_ member: Member) {
    if member.live == nil { close(member, .missedMessages) } else { missState(member) }
  }

  /// Its socket is full: it stays where it is in the log.
  private func wait(_ member: Member) {
    member.isWaiting = true
    member.updateDirectOutlet()
  }

  /// The next batch for a member. Nil if there is none, or none can be: then its closure is set.
  private func next(for member: Member, in swept: FrameFeed?) -> [UInt8]? {
    if member.closure != nil { return nil }
    if let live = member.live, live.hasFrames {
      if live.isLagging { return nil }
      if let frames = live.next() { return frames }
      member.updateDirectOutlet()
    }
    if let opening = member.opening, !opening.isOut {
      if let frames = opening.next() { return frames }
      member.updateDirectOutlet()
    }
    // Channel by channel in turn, so that one which never ends does not hold up the others.
    var turn = member.turn
    for _ in member.places.indices {
      if turn >= member.places.count { turn = 0 }
      let place = member.places[turn]
      turn += 1
      guard let index = place.index else { continue }
      let feed = place.feed
      let before = feed.log.heldBytes
      let batch = feed.log.read(&feed.readers[index].cursor, limits: limits)
      if feed !== swept, feed.log.heldBytes != before { budget.add(feed.log.heldBytes - before) }
      switch batch {
      case .bytes(let bytes):
        member.turn = turn
        return bytes
      case .missed:
        fallBehind(member)
        return nil
      case nil:
        continue
      }
    }
    return nil
  }

  /// Gives a member that goes by itself all that was published before, as far as its socket is still open.
  func flush(_ member: Member) {
    guard let outlet = member.outlet, outlet.close == nil else { return }
    for case let feed as ChannelFeed in member.places.map(\.feed) {
      while feed.subscription.unreadMessages > 0, take(feed) {
        for index in feed.readers.indices { pump(feed.readers[index].member) }
      }
    }
    // Behind what already waits for its socket, and in front of the close frame.
    member.isWaiting = false
    while let frames = next(for: member, in: nil) { _ = outlet.deliver(frames) }
  }
}
