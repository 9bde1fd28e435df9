//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// Sockets of live resources: they subscribe first, then their state is read, and changes that come meanwhile are recorded
/// (``LiveRead``). All that comes later they read from the log of their key's feed, like sockets of channels.
extension FanOut {
  /// Subscribes a socket that is still to come, and reads its state.
  func join(_ resource: LiveResource) async throws -> Member {
    let source = try await reserve(resource.changes.storage)
    let feed = source.feed(resource.key)
    feed.memberCount += 1
    source.reservations -= 1
    let live = LiveReader(resource, feed)
    let member = Member(self, live: live)
    member.places.append(Member.Place(feed: feed))
    let read = read(for: member)
    do {
      while read.isPending {
        if read.wantsRunner { try await run(read, by: resource, fails: true) } else { await read.wait() }
      }
      if let error = read.error { throw error }
    } catch {
      leave(member)
      throw error
    }
    return member
  }

  private func reserve(_ changes: LiveChanges.Storage) async throws(BroadcastError) -> LiveSource {
    let id = ObjectIdentifier(changes)
    if let source = liveSources[id] { return source.reserved() }
    let subscription = try await broadcast.subscribe(to: changes.channels, options: SubscriptionOptions(buffer: buffer))
    // As with channels: the first to come back counts.
    if let source = liveSources[id] { return source.reserved() }
    let source = LiveSource(changes, subscription)
    liveSources[id] = source
    let tell: @Sendable () -> Void = { [weak self] in self?.assumeIsolated { $0.hasLiveNews(id) } }
    try subscription.setWakeUp { [loop] in loop.execute(tell) }
    return source.reserved()
  }

  /// Delivers to a socket until the task is cancelled, the socket has to go, or the connection has ended.
  ///
  /// - Throws: how the socket has to be closed, if there is a reason to, or why its state could not be read.
  func deliverLive(_ member: Member, to socket: WebSocket) async throws {
    guard attach(socket, to: member) else { throw WebSocketClosure(.internalError, "The server failed.") }
    socket.transport.deliver(to: member)
    var failure: (any Error)?
    while true {
      await sleep(member)
      if Task.isCancelled || member.mustCloseNow || member.outlet?.isEnded != false { break }
      if member.live?.mustRead == true { failure = await readAgain(for: member) }
      if failure != nil { break }
    }
    leave(member)
    if let failure { throw failure }
    if let closure = member.closure { throw closure }
  }

  /// A member's part of its reading, when it leaves.
  func leaveLive(_ member: Member) {
    guard let live = member.live else { return }
    live.feed.memberCount -= 1
    live.dropFrames()
    lagging[ObjectIdentifier(member)] = nil
    guard let read = live.read else { return }
    let wasWoken = read.remove(member)
    if read.phase == .filtering, read.members.isEmpty { end(read, of: live.feed) }
    if read.wantsRunner, wasWoken || read.members.isEmpty { passOn(read, of: live.feed) }
  }

  func end(_ feed: LiveFeed) {
    feed.source.remove(feed)
    endIfUnused(feed.source)
  }

  func endIfUnused(_ source: LiveSource) {
    guard source.isUnused else { return }
    source.subscription.cancel()
    let id = ObjectIdentifier(source.changes)
    if liveSources[id] === source { liveSources[id] = nil }
  }

  // MARK: Those who fall behind

  /// A member is further behind than its limits. It gets a new state when it can take one, though not again and again.
  func missState(_ member: Member) {
    guard let live = member.live, !live.isLagging else { return }
    let now = ContinuousClock.now
    if let last = live.fellBehind, now < last + lagLimit { return close(member, .missedMessages) }
    live.fellBehind = now
    live.isLagging = true
    live.dropFrames()
    member.updateDirectOutlet()
    // Not now, in the middle of a sweep over those among whom it is.
    loop.inNextTurn { self.takeFromLog(member) }
  }

  private func takeFromLog(_ member: Member) {
    // A gap may have taken it already.
    guard let live = member.live, live.isLagging, !member.hasLeft, member.closure == nil,
      member.places.contains(where: { $0.index != nil })
    else { return }
    let feed = live.feed
    var moved: Member?
    account(feed) { moved = $0.remove(member) }
    member.setIndex(nil, in: feed)
    if feed.sweepsLeft > 0, let moved { pump(moved) }
    renew(member)
  }

  /// A member needs a new state: as soon as its socket takes something.
  func renew(_ member: Member) {
    guard let live = member.live, member.closure == nil else { return }
    if let closure = live.feed.closure { return close(member, closure) }
    live.isLagging = member.isWaiting
    if member.isWaiting {
      lag(member)
    } else {
      requestRead(for: member)
    }
  }

  private func lag(_ member: Member) {
    lagging[ObjectIdentifier(member)] = (member, .now + lagLimit, member.outlet?.bytesTaken ?? 0)
    if lagTimer?.isClosed == false { return }
    guard let timer = try? LoopTimer(on: loop) else { return close(member, .missedMessages) }
    lagTimer = timer
    timer.start(after: .seconds(1), every: .seconds(1)) { self.assumeIsolated { $0.closeLagging() } }
  }

  private func closeLagging() {
    let now = ContinuousClock.now
    for (id, (member, until, before)) in lagging where until <= now {
      let taken = member.outlet?.bytesTaken ?? before
      if taken > before {
        // It is slow, but takes what it was sent.
        lagging[id] = (member, now + lagLimit, taken)
      } else {
        lagging[id] = nil
        close(member, .missedMessages)
      }
    }
    if lagging.isEmpty { lagTimer.take()?.close() }
  }

  /// The socket of a member that missed changes takes something again.
  func drainedLagging(_ member: Member) {
    guard let live = member.live, lagging.removeValue(forKey: ObjectIdentifier(member)) != nil else { return }
    live.isLagging = false
    requestRead(for: member)
  }
}

extension LiveSource {
  fileprivate func reserved() -> LiveSource {
    reservations += 1
    return self
  }
}
