//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// The connection on which messages are published, one transaction after the other. It belongs to the loop's thread.
final class PublishingSide {
  /// What is prepared for it. Counting costs less than a row for each message.
  static let statement = "broadcast_publish"
  private static let makingRoom = "SELECT pg_catalog.pg_notification_queue_usage()"
  /// How long what is published while a transaction is under way may wait in the mailbox until it is looked at. To take it out
  /// at each call would wake the loop as often.
  private static let mailboxPatience = Duration.milliseconds(100)

  /// How many turns of the loop, of some microseconds each, what is published may wait for more.
  private static let maximumTurns = 64

  private let line: PostgresLine
  private let loop: EventLoop
  private let mailbox: PublishMailbox
  private let timeout: Duration
  private let timer: LoopTimer
  private var isTimed = false
  private let mailboxTimer: LoopTimer
  private var isMailboxTimed = false
  private var commit: GroupCommit
  private var isGathering = false
  /// Called when the database has answered.
  var onLife: () -> Void = {}
  /// Called when the database does not take a probe now.
  var onProbeRefused: (UInt64, BroadcastError) -> Void = { _, _ in }
  /// Called when the session can't go on.
  var onFailure: (BroadcastError) -> Void = { _ in }

  init(
    _ line: PostgresLine, _ mailbox: PublishMailbox, probeName: ChannelName, timeout: Duration, on loop: EventLoop
  ) throws(NetworkError) {
    self.line = line
    self.loop = loop
    self.mailbox = mailbox
    self.timeout = timeout
    commit = GroupCommit(probeName: probeName)
    timer = try LoopTimer(on: loop)
    mailboxTimer = try LoopTimer(on: loop)
  }

  func start(onFailure: @escaping (LineFailure) -> Void) throws(LineFailure) {
    try line.start(onInput: { [unowned self] in heard() }, onFailure: onFailure)
  }

  func close(because error: BroadcastError) {
    line.close()
    timer.close()
    mailboxTimer.close()
    commit.fail(because: error)
  }

  // MARK: Sending

  /// The mailbox has something after nothing.
  func wake() {
    if line.isAsking { setMailboxTimer() } else { gather() }
  }

  func publish(probe number: UInt64) {
    commit.append(probe: number)
    gather()
  }

  private func gather() {
    if isGathering { return }
    isGathering = true
    loop.atTurnEnd { [weak self] in self?.gather(sinceTurns: 0, had: 1) }
  }

  /// Sends what has come, unless more and more comes: the publishers whom an answer has woken are still on their way then,
  /// and each transaction costs as much as fifty messages. A publisher alone never waits.
  private func gather(sinceTurns turns: Int, had before: Int) {
    let count = mailbox.count
    if count > before, turns < Self.maximumTurns {
      loop.inNextTurn { [weak self] in self?.gather(sinceTurns: turns + 1, had: count) }
    } else {
      isGathering = false
      send()
    }
  }

  private func send() {
    if line.isAsking { return }
    empty(within: timeout)
    switch commit.next() {
    case nil: return
    case .makeRoom: line.ask(Self.makingRoom)
    case .publish: line.ask(Self.statement, commit.batch.channels, commit.batch.payloads)
    }
    setTimer()
  }

  private func empty(within timeout: Duration) {
    let taken = mailbox.takeAll()
    if !taken.isEmpty { commit.append(taken, deadline: loop.now + timeout) }
  }

  // MARK: Answers

  private func heard() {
    guard let answer = line.takeAnswer() else { return }
    onLife()
    switch answer {
    case .done: commit.succeeded()
    case .refused(let state, let reason):
      switch commit.refused(state, reason) {
      case .none: break
      case .probeRefused(let number, let error): onProbeRefused(number, error)
      case .sessionEnds(let error): return onFailure(error)
      }
    }
    gather()
  }

  // MARK: Deadlines

  private func setTimer() {
    guard !isTimed, let deadline = commit.nextDeadline else { return }
    isTimed = true
    timer.start(after: deadline - loop.now) { [unowned self] in
      isTimed = false
      commit.expire(now: loop.now, because: PostgresError.publishingTooLate(timeout))
      setTimer()
    }
  }

  private func setMailboxTimer() {
    if isMailboxTimed { return }
    isMailboxTimed = true
    mailboxTimer.start(after: Self.mailboxPatience) { [unowned self] in
      isMailboxTimed = false
      guard line.isAsking else { return }
      empty(within: max(.zero, timeout - Self.mailboxPatience))
      setTimer()
    }
  }
}
