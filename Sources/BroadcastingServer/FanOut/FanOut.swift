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

  let broadcast: any Broadcast
  let limits: LogLimits
  let budget: MemoryBudget
  let pastMemory: PastMemory
  /// Sockets that are served before the loop sees to other things.
  let socketsPerSweep: Int
  /// Over which time sockets are closed after the broker was away.
  let spread: Duration
  /// How long a socket of a live resource may take nothing when it has missed changes, and how long one that fell behind may
  /// not do so again.
  let lagLimit: Duration
  private let pushes: PushGate
  var feeds: [FeedKey: ChannelFeed] = [:]
  /// Where the changes of live resources come from.
  var liveSources: [ObjectIdentifier: LiveSource] = [:]
  /// Feeds whose subscription has ended, while sockets still have to get what their logs hold.
  var endedFeeds: [FrameFeed] = []
  /// Sockets that have stopped at a gap, and are closed later.
  var closing: SpreadQueue<Member>
  var closingTimer: LoopTimer?
  /// Who reads a history, or the state of a live resource.
  let historyTurns = ReadTurns()
  let liveTurns = ReadTurns()
  /// Open sockets that are about to read a state.
  var waitingLiveReads = 0
  /// Sockets of live resources that missed changes and are full, until when they may take nothing, and what they had taken.
  var lagging: [ObjectIdentifier: (member: Member, until: ContinuousClock.Instant, taken: UInt64)] = [:]
  var lagTimer: LoopTimer?

  init(
    _ broadcast: any Broadcast, on loop: EventLoop, limits: LogLimits, budget: MemoryBudget, socketsPerSweep: Int,
    spread: Duration, lagLimit: Duration, pushes: PushGate
  ) {
    self.broadcast = broadcast
    self.loop = loop
    self.limits = LogLimits(
      maximumMessages: max(1, limits.maximumMessages), maximumBytes: max(1, limits.maximumBytes))
    self.budget = budget
    pastMemory = PastMemory(within: budget)
    self.socketsPerSweep = max(1, socketsPerSweep)
    self.spread = spread
    self.lagLimit = lagLimit
    closing = Self.makeSpreadQueue(over: spread)
    self.pushes = pushes
  }

  /// Subscribes a socket that is still to come: what is published from now on waits for it.
  ///
  /// - Parameters:
  ///   - opening: What it gets before that, for who wants more than what is published.
  ///   - form: How messages become frames.
  func join(
    _ channels: [Channel], _ opening: Opening? = nil, as form: FrameForm = .raw
  ) async throws(BroadcastError) -> Member {
    var joined: [ChannelFeed] = []
    do throws(BroadcastError) {
      for channel in channels where !joined.contains(where: { $0.key.channel == channel }) {
        joined.append(try await reserve(FeedKey(channel: channel, form: form)))
      }
    } catch {
      for feed in joined {
        feed.reservations -= 1
        endIfUnused(feed)
      }
      throw error
    }
    let member = Member(self, opening)
    for feed in joined {
      feed.reservations -= 1
      feed.add(member)
    }
    return member
  }

  /// Delivers to a socket until the task is cancelled, messages were missed, or the connection has ended.
  ///
  /// - Throws: how the socket has to be closed, if there is a reason to.
  func deliver(_ member: Member, to socket: WebSocket) async throws(WebSocketClosure) {
    guard attach(socket, to: member) else { throw WebSocketClosure(.internalError, "The server failed.") }
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
    if member.live != nil { leaveLive(member) }
    if member.outlet?.observer === member { member.outlet?.observer = nil }
    for place in member.places {
      let feed = place.feed
      var moved: Member?
      account(feed) { moved = $0.remove(member) }
      // The sweep that is under way may have been past the place into which this one has moved.
      if feed.sweepsLeft > 0, let moved { pump(moved) }
      endIfUnused(feed)
    }
    member.places = []
  }

  /// False for a socket that is another loop's or has a feed already, and for a feed that is or was delivered.
  // Not inlined: its frame would be a part of one that sleeps with every socket.
  @inline(never)
  func attach(_ socket: WebSocket, to member: Member) -> Bool {
    guard socket.loop === loop, member.outlet == nil, !member.hasLeft, socket.transport.observer == nil else {
      return false
    }
    member.outlet = socket.transport
    socket.transport.observer = member
    member.updateDirectOutlet()
    pump(member)
    return true
  }

  func sleep(_ member: Member) async {
    await withTaskCancellationHandler {
      // By a method, because a closure that does not name `self` is not isolated to it: in a task without the loop as its
      // preference it would run on another thread.
      await withUnsafeContinuation { keep($0, for: member) }
    } onCancel: {
      loop.execute { self.assumeIsolated { _ in member.sleeper.take()?.resume() } }
    }
  }

  private func keep(_ sleeper: UnsafeContinuation<Void, Never>, for member: Member) {
    if Task.isCancelled || member.mustCloseNow || member.outlet?.isEnded != false || member.live?.mustRead == true {
      sleeper.resume()
    } else {
      member.sleeper = sleeper
    }
  }

  func drained(_ member: Member) {
    member.isWaiting = false
    member.updateDirectOutlet()
    if member.live != nil { drainedLagging(member) }
    pump(member)
  }
}

extension WebSocketClosure {
  static let missedMessages = WebSocketClosure(.missedMessages, "You missed messages. Come back.")
}
