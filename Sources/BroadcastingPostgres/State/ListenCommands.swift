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
  private var lastNumber = 0
  /// The command that last asked for a channel which is to be listened to.
  private var wanted: [Channel: Int] = [:]

  /// When to call ``expire(now:because:)`` next, or nil while nobody waits.
  var nextDeadline: LoopInstant? {
    // Each has the same time and those that wait get more of it together, so the oldest is the next. Whoever has been told
    // waits no more.
    (asked.first { $0.waiter != nil } ?? waiting.first { $0.waiter != nil })?.deadline
  }

  mutating func add(_ kind: Kind, _ channel: Channel, deadline: LoopInstant, waiter: Waiter?) {
    lastNumber += 1
    wanted[channel] = kind == .listen ? lastNumber : nil
    waiting.append(Command(kind: kind, channel: channel, number: lastNumber, deadline: deadline, waiter: waiter))
  }

  /// What to ask for now; empty when there is nothing, or something is under way.
  ///
  /// - Parameter timeout: From now on, of all that waits. What goes and what has to wait for that was held up by nothing but
  ///   its place: the time in which the database has to answer begins anew.
  mutating func next(now: LoopInstant, timeout: Duration) -> [Command] {
    guard asked.isEmpty else { return [] }
    for index in waiting.indices { waiting[index].deadline = max(waiting[index].deadline, now + timeout) }
    halfTime = now + timeout / 2
    asked = Array(waiting.prefix(min(bisection.limit, limit)))
    waiting.removeFirst(asked.count)
    return asked
  }

  /// The database has done what it was asked for.
  mutating func succeeded(now: LoopInstant) -> Step {
    var step = Step()
    if now > halfTime { limit = max(Self.minimumAtOnce, limit / 2) }
    let done = asked
    asked = []
    bisection.advance(by: done.count)
    for command in done {
      if let waiter = command.waiter { step.endings.append(Ending(waiter: waiter, error: nil)) }
      guard wanted[command.channel] == nil else { continue }
      if command.kind == .unlisten {
        step.forgotten.append(command.channel)
      } else if command.waiter == nil {
        // Its caller has been told that it failed, so nobody else will take it back.
        add(.unlisten, command.channel, deadline: now, waiter: nil)
      }
    }
    return step
  }

  /// What the database has been asked about, where that is one channel.
  var singleChannel: Channel? { asked.count == 1 ? asked[0].channel : nil }

  /// The database has refused it.
  mutating func failed(because error: BroadcastError) -> Step {
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
    if let waiter = command.waiter { step.endings.append(Ending(waiter: waiter, error: error)) }
    return step
  }

  /// Tells those whose deadline has passed. Their commands stay, since the database may have done them.
  mutating func expire(now: LoopInstant, because error: BroadcastError) -> [Ending] {
    var endings: [Ending] = []
    for index in asked.indices { expire(&asked[index]) }
    for index in waiting.indices { expire(&waiting[index]) }
    return endings

    func expire(_ command: inout Command) {
      guard command.deadline <= now, let waiter = command.waiter.take() else { return }
      endings.append(Ending(waiter: waiter, error: error))
      if wanted[command.channel] == command.number { wanted[command.channel] = nil }
    }
  }

  /// The session is over.
  mutating func failAll(because error: BroadcastError) -> [Ending] {
    let endings = (asked + waiting).compactMap { command in command.waiter.map { Ending(waiter: $0, error: error) } }
    self = ListenCommands()
    return endings
  }
}
