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
  /// How long what is published while a transaction is under way may wait in the mailbox until it is looked at. To take it out
  /// at each call would wake the loop as often.
  private static let mailboxPatience = Duration.milliseconds(100)

  /// How many turns of the loop, of some microseconds each, what is published may wait for more.
  private static let maximumTurns = 64

  private let line: PostgresLine
  private let loop: EventLoop
  private let mailbox: PublishMailbox
  private let timeout: Duration
  private let probeName: ChannelName
  private let timer: LoopTimer
  private var isTimed = false
  private let mailboxTimer: LoopTimer
  private var isMailboxTimed = false
  private var calls = PublishCalls()
  private var batch = PublishBatch()
  /// How many of the next messages go in a transaction of their own.
  private var alone = 0
  private var probe: UInt64?
  private var isGathering = false
  /// Called when the database has answered.
  var onLife: () -> Void = {}
  /// Called when the session can't go on.
  var onFailure: (BroadcastError) -> Void = { _ in }

  init(
    _ line: PostgresLine, _ mailbox: PublishMailbox, probeName: ChannelName, timeout: Duration, on loop: EventLoop
  ) throws(NetworkError) {
    self.line = line
    self.loop = loop
    self.mailbox = mailbox
    self.timeout = timeout
    self.probeName = probeName
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
    calls.fail(because: error)
  }

  // MARK: Sending

  /// The mailbox has something after nothing.
  func wake() {
    if line.isAsking { setMailboxTimer() } else { gather() }
  }

  func publish(probe number: UInt64) {
    probe = number
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
    batch.clear()
    if let probe { batch.add(probe: probe, on: probeName) }
    let limit = alone > 0 ? 1 : .max
    calls.sendEach { batch.messages < limit && batch.add($0) }
    guard !batch.isEmpty else { return }
    probe = nil
    batch.finish()
    line.ask(Self.statement, batch.channels, batch.payloads)
    setTimer()
  }

  private func empty(within timeout: Duration) {
    let taken = mailbox.takeAll()
    if !taken.isEmpty { calls.append(taken, deadline: loop.now + timeout) }
  }

  // MARK: Answers

  private func heard() {
    guard let answer = line.takeAnswer() else { return }
    onLife()
    switch answer {
    case .done:
      alone = max(0, alone - batch.messages)
      calls.accepted(batch.messages)
    case .refused(let state, let reason):
      refused(state, reason)
    }
    gather()
  }

  private func refused(_ state: SQLState, _ reason: String) {
    let count = batch.messages
    let error = PostgresError.refused(state, reason, to: "publish")
    if state.endsSession || (batch.probe != nil && !state.concernsData) {
      // Without a way for the probe there is none for messages.
      return onFailure(PostgresError.sessionRefused(state, reason))
    }
    if state.concernsData, count > 1 || batch.probe != nil {
      // The transaction is void for the sake of one of them, and only the database knows which.
      calls.takeBack()
      alone = count
      probe = batch.probe
      return
    }
    alone = max(0, alone - count)
    for _ in 0..<count { calls.refused(error) }
  }

  // MARK: Deadlines

  private func setTimer() {
    guard !isTimed, let deadline = calls.nextDeadline else { return }
    isTimed = true
    timer.start(after: deadline - loop.now) { [unowned self] in
      isTimed = false
      calls.expire(now: loop.now, because: PostgresError.publishingTooLate(timeout))
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
