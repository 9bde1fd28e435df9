//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// What goes in which transaction, and who is told what became of it. A machine without I/O.
///
/// One transaction is under way at a time, and all that comes meanwhile goes in the next one. Where the database refuses one
/// because of what a message holds, nobody but the database knows which message that is: they go by halves then, until that one
/// is alone.
///
/// Where the queue of all notifications is full, PostgreSQL refuses what would find room once it drops what all have read. To
/// ask how full the queue is makes it do so, and that comes before the next transaction then.
struct GroupCommit {
  enum Step { case makeRoom, publish }

  /// What a refusal means beyond the calls.
  enum Consequence {
    case none
    /// The session may go on without the probe of that number.
    case probeRefused(UInt64, BroadcastError)
    case sessionEnds(BroadcastError)
  }

  private let probeName: ChannelName
  private var calls = PublishCalls()
  /// What is under way, or was last.
  private(set) var batch = PublishBatch()
  private var bisection = Bisection()
  private var probe: UInt64?
  private var wantsRoom = false
  private var isMakingRoom = false

  init(probeName: ChannelName) { self.probeName = probeName }

  var nextDeadline: LoopInstant? { calls.nextDeadline }

  mutating func append(_ new: [PublishCall], deadline: LoopInstant) { calls.append(new, deadline: deadline) }

  mutating func append(probe number: UInt64) { probe = number }

  /// What to do now, with the next batch made for ``Step/publish``. Nil when there is nothing to send.
  mutating func next() -> Step? {
    guard probe != nil || calls.hasUnsent else { return nil }
    isMakingRoom = wantsRoom
    wantsRoom = false
    if isMakingRoom { return .makeRoom }
    batch.clear()
    // The probe goes alone then, or a message beside it that is refused would hold it up.
    let limit = bisection.isUnderWay && probe != nil ? 0 : bisection.limit
    if let probe { batch.add(probe: probe, on: probeName) }
    probe = nil
    calls.sendEach { batch.messages < limit && batch.add($0) }
    guard !batch.isEmpty else { return nil }
    batch.finish()
    return .publish
  }

  /// The step is done: if it was to publish, the batch is committed.
  mutating func succeeded() {
    if isMakingRoom { return }
    bisection.advance(by: batch.messages)
    calls.accepted(batch.messages)
  }

  /// The database has refused the step: if it was to publish, it has none of the batch.
  mutating func refused(_ state: SQLState, _ reason: String) -> Consequence {
    if isMakingRoom { return state.endsSession ? .sessionEnds(PostgresError.sessionRefused(state, reason)) : .none }
    let count = batch.messages
    if state.concernsData, count > 1 || count == 1 && batch.probe != nil {
      calls.takeBack()
      bisection.split(count)
      probe = batch.probe
      return .none
    }
    wantsRoom = state == .limitExceeded
    // Where the probe may not go at all messages may not either. What may pass, such as a full queue or a commit of others
    // that is held up, is no reason to stop listening: silence is found by the probes after it.
    if state.endsSession || batch.probe != nil && !state.isRetriable {
      return .sessionEnds(PostgresError.sessionRefused(state, reason))
    }
    bisection.advance(by: count)
    let channel = count == 1 ? calls.oldestChannel : nil
    let error = PostgresError.refused(state, reason, to: "publish", channel: channel)
    for _ in 0..<count { calls.refused(error) }
    return batch.probe.map { .probeRefused($0, PostgresError.sessionRefused(state, reason)) } ?? .none
  }

  mutating func expire(now: LoopInstant, because error: BroadcastError) { calls.expire(now: now, because: error) }

  /// The session is over, and with it all calls.
  mutating func fail(because error: BroadcastError) { calls.fail(because: error) }
}
