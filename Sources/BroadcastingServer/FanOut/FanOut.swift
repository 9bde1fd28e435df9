//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// One loop's share of the fan-out: the loop's sockets by channel, and one subscription for each channel.
///
/// A message is encoded once, as the frame that all sockets get. The frames wait in a log for each channel, in which a
/// socket is a cursor: what is at hand for a socket goes out in one write, and one that is full simply stays where it
/// is, until the log has passed it. Its task sleeps all the while; no message wakes it.
actor FanOut {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Sockets that are served before the loop sees to other things: about a millisecond.
  private static let socketsPerSweep = 256

  /// Bytes in one write to a socket that is behind.
  private static let bytesPerWrite = 256 * 1024

  private let broadcast: any Broadcast
  private let limits: LogLimits
  private let budget: MemoryBudget
  private let pushes: PushGate
  private var feeds: [Channel: FrameFeed] = [:]

  init(_ broadcast: any Broadcast, on loop: EventLoop, limits: LogLimits, budget: MemoryBudget, pushes: PushGate) {
    self.broadcast = broadcast
    self.loop = loop
    self.limits = LogLimits(
      maximumMessages: max(1, limits.maximumMessages), maximumBytes: max(1, limits.maximumBytes))
    self.budget = budget
    self.pushes = pushes
  }

  // MARK: Members

  /// Subscribes a socket that is still to come: what is published from now on waits for it.
  func join(_ channels: [Channel]) async throws(BroadcastError) -> Member {
    var joined: [FrameFeed] = []
    do throws(BroadcastError) {
      for channel in channels where !joined.contains(where: { $0.channel == channel }) {
        joined.append(try await reserve(channel))
      }
    } catch {
      for feed in joined {
        feed.reservations -= 1
        endIfUnused(feed)
      }
      throw error
    }
    let member = Member(self)
    for feed in joined {
      feed.reservations -= 1
      feed.add(member)
    }
    return member
  }

  /// Delivers to a socket until the task is cancelled or messages were missed.
  ///
  /// - Throws: how the socket has to be closed, if there is a reason to.
  func deliver(_ member: Member, to socket: WebSocket) async throws(WebSocketClosure) {
    guard member.socket == nil else { return }
    attach(socket, to: member)
    await sleep(member)
    if member.closure == nil {
      await pushes.waitForLast()
      flush(member)
    }
    leave(member)
    if let closure = member.closure { throw closure }
  }

  /// Takes a member out; with the last one its channels' subscriptions end.
  func leave(_ member: Member) {
    if member.hasLeft { return }
    member.hasLeft = true
    member.socket?.assumeIsolated { $0.observer = nil }
    for place in member.places {
      let feed = place.feed
      var moved: Member?
      account(feed) { moved = $0.remove(member) }
      // The sweep that is under way may have been past the place into which this one has moved.
      if feed.sweepsLeft > 0, let moved { pump(moved) }
      endIfUnused(feed)
    }
  }

  private func attach(_ socket: WebSocket, to member: Member) {
    member.socket = socket
    socket.assumeIsolated { $0.observer = member }
    pump(member)
  }

  private func sleep(_ member: Member) async {
    await withTaskCancellationHandler {
      // By a method, because a closure that does not name `self` is not isolated to it: in a task without the loop as its
      // preference it would run on another thread.
      await withUnsafeContinuation { keep($0, for: member) }
    } onCancel: {
      loop.execute { self.assumeIsolated { _ in member.sleeper.take()?.resume() } }
    }
  }

  private func keep(_ sleeper: UnsafeContinuation<Void, Never>, for member: Member) {
    let isUnheard = member.socket?.assumeIsolated { $0.endedUnheard } ?? true
    if Task.isCancelled || member.closure != nil || isUnheard {
      sleeper.resume()
    } else {
      member.sleeper = sleeper
    }
  }

  func drained(_ member: Member) {
    member.isWaiting = false
    pump(member)
  }

  private func close(_ member: Member, _ closure: WebSocketClosure) {
    member.closure = closure
    member.sleeper.take()?.resume()
  }

  // MARK: Feeds

  /// The feed of a channel, which others cannot end by leaving until the reservation is given back.
  private func reserve(_ channel: Channel) async throws(BroadcastError) -> FrameFeed {
    if let feed = feeds[channel] { return feed.reserved() }
    // Wider than a socket's: a loop that is held up for a moment must not cost all of its sockets their place.
    let buffer = BufferPolicy.dropOldest(
      maximumMessages: max(65_536, limits.maximumMessages), maximumBytes: max(64 << 20, limits.maximumBytes))
    let subscription = try await broadcast.subscribe(to: channel, options: SubscriptionOptions(buffer: buffer))
    // Others may have asked for it meanwhile. The first to come back counts; the others' subscriptions end here.
    if let feed = feeds[channel] { return feed.reserved() }
    let feed = FrameFeed(channel, subscription)
    feeds[channel] = feed
    try subscription.setWakeUp { [weak self, loop] in
      loop.execute { [weak self] in self?.assumeIsolated { $0.hasNews(channel) } }
    }
    return feed.reserved()
  }

  private func endIfUnused(_ feed: FrameFeed) {
    if feed.isUnused { end(feed) }
  }

  private func end(_ feed: FrameFeed) {
    feed.subscription.cancel()
    if feeds[feed.channel] === feed { feeds[feed.channel] = nil }
  }

  private func hasNews(_ channel: Channel) {
    guard let feed = feeds[channel] else { return }
    feed.hasMore = true
    // Where a sweep is under way it goes on by itself, and takes what is new at its end.
    if feed.sweepsLeft == 0 { schedule(feed) }
  }

  /// At the end of the turn, so that all that the turn brings goes out together.
  private func schedule(_ feed: FrameFeed) {
    if feed.isScheduled { return }
    feed.isScheduled = true
    loop.atTurnEnd { self.advance(feed) }
  }

  /// One step of a feed: takes what is new, and serves some of the sockets. The rest waits for the next turn.
  private func advance(_ feed: FrameFeed) {
    feed.isScheduled = false
    if feed.sweepsLeft == 0, feed.hasMore, take(feed) { feed.sweepsLeft = feed.members.count }
    var count = min(feed.sweepsLeft, Self.socketsPerSweep)
    feed.sweepsLeft -= count
    while count > 0, !feed.members.isEmpty {
      if feed.nextToSweep >= feed.members.count { feed.nextToSweep = 0 }
      pump(feed.members[feed.nextToSweep])
      feed.nextToSweep += 1
      count -= 1
    }
    if feed.sweepsLeft > 0 || feed.hasMore {
      loop.inNextTurn { self.schedule(feed) }
    }
  }

  /// Takes what is new from the subscription and appends it to the log, as one batch. True if there was something.
  private func take(_ feed: FrameFeed) -> Bool {
    guard feed.closure == nil else {
      feed.hasMore = false
      return false
    }
    let batch = feed.subscription.takeBatch(
      maximumMessages: min(FrameBatch.maximumMessages, limits.maximumMessages, feed.messagesUntilNewcomer),
      maximumBytes: min(FrameBatch.maximumBytes, limits.maximumBytes))
    feed.hasMore = batch.hasMore
    var size = 0
    for case .message(let message) in batch.deliveries { size += FrameBatch.bytes(of: message) }
    var frames = FrameBatch(capacity: size)
    var closure: WebSocketClosure?
    for delivery in batch.deliveries {
      guard case .message(let message) = delivery else {
        closure = .missedMessages
        break
      }
      // The last message is taken however large it is. Together with those before it, it could be more than a socket
      // may be behind, also one that has got all so far.
      if frames.messageCount > 0, frames.bytes.count + FrameBatch.bytes(of: message) > limits.maximumBytes {
        append(frames, to: feed)
        for member in feed.members { pump(member) }
        frames = FrameBatch(capacity: FrameBatch.bytes(of: message))
      }
      frames.append(message)
    }
    if frames.messageCount > 0 { append(frames, to: feed) }
    switch batch.end {
    case .finished: closure = closure ?? WebSocketClosure(.goingAway, "The server stops.")
    case .failed: closure = closure ?? .missedMessages
    case nil: break
    }
    if let closure {
      feed.closure = closure
      feed.admitAll()
      // Whoever comes now gets a feed without a gap.
      end(feed)
    }
    return frames.messageCount > 0 || closure != nil
  }

  private func append(_ frames: FrameBatch, to feed: FrameFeed) {
    account(feed) { $0.append(frames, age: budget.tick(), limits: limits) }
  }

  // MARK: Delivering

  /// Writes what is at hand for a member.
  private func pump(_ member: Member) {
    guard let socket = member.socket, member.closure == nil else { return }
    if member.isWaiting {
      // As soon as it is known, and not only when its socket takes something again.
      for place in member.places {
        if let cursor = place.cursor, place.feed.log.isBehind(cursor, limits) { close(member, .missedMessages) }
      }
      return
    }
    while let first = next(for: member) {
      var isTaken: Bool
      if hasUnread(member) {
        var batches = [first]
        var size = first.count
        while size < Self.bytesPerWrite, let more = next(for: member) {
          batches.append(more)
          size += more.count
        }
        isTaken = socket.assumeIsolated { [batches] in $0.deliver(batches[...]) }
      } else {
        isTaken = socket.assumeIsolated { $0.deliver(first) }
      }
      if !isTaken {
        member.isWaiting = true
        return
      }
    }
    if member.closure == nil, let closure = member.places.lazy.compactMap(\.feed.closure).first {
      close(member, closure)
    }
  }

  private func hasUnread(_ member: Member) -> Bool {
    member.places.contains { place in place.cursor.map(place.feed.log.hasUnread) ?? false }
  }

  /// The next batch for a member. Nil if there is none, or none can be: then its closure is set.
  private func next(for member: Member) -> [UInt8]? {
    // Channel by channel in turn, so that one which never ends does not hold up the others.
    var index = member.turn
    for _ in member.places.indices {
      if index >= member.places.count { index = 0 }
      defer { index += 1 }
      let feed = member.places[index].feed
      guard var cursor = member.places[index].cursor else { continue }
      let before = feed.log.heldBytes
      let chunk = feed.log.read(&cursor, limits: limits)
      member.places[index].cursor = cursor
      if feed.log.heldBytes != before { budget.add(feed.log.heldBytes - before) }
      guard let chunk else { continue }
      guard chunk.skip == nil, !chunk.range.isEmpty else {
        close(member, .missedMessages)
        return nil
      }
      member.turn = index + 1
      return chunk.elements[chunk.range.lowerBound].bytes
    }
    return nil
  }

  /// Gives a member that goes by itself all that was published before, as far as its socket is still open.
  private func flush(_ member: Member) {
    guard let socket = member.socket, socket.assumeIsolated({ $0.closed == nil }) else { return }
    for feed in member.places.map(\.feed) {
      while feed.subscription.unreadMessages > 0, take(feed) {
        for member in feed.members { pump(member) }
      }
    }
    // Behind what already waits for its socket, and in front of the close frame.
    member.isWaiting = false
    while member.closure == nil, let frames = next(for: member) {
      _ = socket.assumeIsolated { $0.deliver(frames) }
    }
  }

  // MARK: Memory

  /// Keeps the account of all logs while one changes.
  private func account(_ feed: FrameFeed, _ change: (FrameFeed) -> Void) {
    let before = feed.log.heldBytes
    change(feed)
    if budget.add(feed.log.heldBytes - before) { freeOldest() }
  }

  private func freeOldest() {
    var segments: [(age: Int, bytes: Int)] = []
    for feed in feeds.values { feed.log.visitSegments { segments.append((age: $0, bytes: $1)) } }
    guard let age = budget.ageToDrop(among: segments) else { return }
    for feed in feeds.values {
      let before = feed.log.heldBytes
      feed.log.drop(upTo: age)
      guard feed.log.heldBytes != before else { continue }
      budget.add(feed.log.heldBytes - before)
      // Whoever still needed it has to go now, and not only with the channel's next message.
      feed.sweepsLeft = feed.members.count
      loop.inNextTurn { self.schedule(feed) }
    }
  }
}

extension WebSocketClosure {
  static let missedMessages = WebSocketClosure(.missedMessages, "You missed messages. Come back.")
}
