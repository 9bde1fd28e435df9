//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// What is asked of the listening connection, in its order. A machine that does nothing itself.
///
/// All that waits goes to the database at once, in one transaction, while nothing else is under way. Where the database
/// refuses that, it goes by halves, until one that fails is alone and harms no other.
struct ListenCommands<Waiter: Sendable> {
  enum Kind { case listen, unlisten }

  struct Command {
    let kind: Kind
    let channel: Channel
    fileprivate let number: Int
    /// Where it would be if nothing were before it.
    fileprivate let firstDeadline: LoopInstant
    fileprivate var deadline: LoopInstant
    fileprivate var waiter: Waiter?
  }

  /// A waiter's call has ended.
  struct Ending {
    let waiter: Waiter
    let error: BroadcastError?
  }

  struct Step {
    var endings: [Ending] = []
    /// What nobody listens to any more.
    var forgotten: [Channel] = []
  }

  /// 10,000 channels are three transactions, of which the first has those few that are asked for in the same turn. With names
  /// of 63 bytes the second is a text of 600 kB, for which PostgreSQL takes a tenth of a second; what arrives waits meanwhile.
  static var maximumAtOnce: Int { 8_192 }
  private static var minimumAtOnce: Int { 256 }

  private var waiting: [Command] = []
  private var asked: [Command] = []
  private var bisection = Bisection()
  /// PostgreSQL looks for each name among all that the session listens to, so the more these are the slower it gets.
  private var limit = Self.maximumAtOnce
  /// A transaction that takes longer than until then is too large.
  private var halfTime = LoopInstant.distantFuture
  /// Where a full one is done before then, twice as many will not be too many.
  private var quickTime: LoopInstant?
  private var lastNumber = 0
  /// The command that last asked for a channel which is to be listened to.
  private var wanted: [Channel: Int] = [:]
  /// What the database listens to for a caller that has been told of a failure, and has been asked for once more since. Does
  /// that fail too, nobody else will take it back.
  private var unclaimed: Set<Channel> = []

  /// When to call ``expire(now:because:)`` next, or nil while nobody waits.
  var nextDeadline: LoopInstant? {
    // Each has the same time and those that wait get more of it together, so the oldest is the next. Whoever has been told
    // waits no more.
    (asked.first { $0.waiter != nil } ?? waiting.first { $0.waiter != nil })?.deadline
  }

  mutating func add(_ kind: Kind, _ channel: Channel, deadline: LoopInstant, waiter: Waiter?) {
    lastNumber += 1
    wanted[channel] = kind == .listen ? lastNumber : nil
    waiting.append(
      Command(
        kind: kind, channel: channel, number: lastNumber, firstDeadline: deadline, deadline: deadline, waiter: waiter))
  }

  /// What to ask for now; empty when there is nothing, or something is under way.
  ///
  /// - Parameter timeout: From now on, of all that waits. What goes and what has to wait for that was held up by nothing but
  ///   its place: the time in which the database has to answer begins anew. No deadline is put off by more than that in all.
  mutating func next(now: LoopInstant, timeout: Duration) -> [Command] {
    guard asked.isEmpty else { return [] }
    for index in waiting.indices {
      let (deadline, last) = (waiting[index].deadline, waiting[index].firstDeadline + timeout)
      waiting[index].deadline = min(max(deadline, now + timeout), last)
    }
    halfTime = now + timeout / 2
    quickTime = now + timeout / 8
    asked = Array(waiting.prefix(min(bisection.limit, limit)))
    waiting.removeFirst(asked.count)
    return asked
  }

  /// The database has done what it was asked for.
  mutating func succeeded(now: LoopInstant) -> Step {
    var step = Step()
    adaptLimit(now: now)
    let done = asked
    asked = []
    bisection.advance(by: done.count)
    for command in done {
      if let waiter = command.waiter { step.endings.append(Ending(waiter: waiter, error: nil)) }
      if command.kind == .unlisten || command.waiter != nil {
        unclaimed.remove(command.channel)
        if wanted[command.channel] == nil, command.kind == .unlisten { step.forgotten.append(command.channel) }
      } else {
        // Its caller has been told that it failed.
        unclaimed.insert(command.channel)
        takeBack(command.channel, now: now)
      }
    }
    return step
  }

  /// What the database has been asked about, where that is one channel.
  var singleChannel: Channel? { asked.count == 1 ? asked[0].channel : nil }

  private mutating func adaptLimit(now: LoopInstant) {
    if now > halfTime {
      limit = max(Self.minimumAtOnce, limit / 2)
    } else if let quickTime, now < quickTime, asked.count == limit {
      limit = min(Self.maximumAtOnce, limit * 2)
    }
  }

  /// Ends what the database listens to for nobody.
  private mutating func takeBack(_ channel: Channel, now: LoopInstant) {
    guard wanted[channel] == nil, unclaimed.remove(channel) != nil else { return }
    add(.unlisten, channel, deadline: now, waiter: nil)
  }

  /// The database has refused it.
  mutating func failed(now: LoopInstant, because error: BroadcastError) -> Step {
    var step = Step()
    if asked.count > 1 {
      bisection.split(asked.count)
      waiting.insert(contentsOf: asked, at: 0)
      asked = []
      return step
    }
    guard let command = asked.popLast() else { return step }
    bisection.advance(by: 1)
    if wanted[command.channel] == command.number { wanted[command.channel] = nil }
    if wanted[command.channel] == nil { step.forgotten.append(command.channel) }
    takeBack(command.channel, now: now)
    if let waiter = command.waiter { step.endings.append(Ending(waiter: waiter, error: error)) }
    return step
  }

  /// Tells those whose deadline has passed. What the database was asked for stays, since it may have done it; what it was not
  /// asked to listen to it never will be. To end what it listens to has to be done all the same.
  mutating func expire(now: LoopInstant, because error: BroadcastError) -> Step {
    var step = Step()
    for index in asked.indices { _ = expire(&asked[index]) }
    var dropped: [Channel] = []
    var kept: [Command] = []
    for var command in waiting {
      if expire(&command), command.kind == .listen {
        dropped.append(command.channel)
      } else {
        kept.append(command)
      }
    }
    waiting = kept
    for channel in dropped where wanted[channel] == nil {
      step.forgotten.append(channel)
      takeBack(channel, now: now)
    }
    return step

    func expire(_ command: inout Command) -> Bool {
      guard command.deadline <= now, let waiter = command.waiter.take() else { return false }
      step.endings.append(Ending(waiter: waiter, error: error))
      if wanted[command.channel] == command.number { wanted[command.channel] = nil }
      return true
    }
  }

  /// The session is over.
  mutating func failAll(because error: BroadcastError) -> [Ending] {
    let endings = (asked + waiting).compactMap { command in command.waiter.map { Ending(waiter: $0, error: error) } }
    self = ListenCommands()
    return endings
  }
}
