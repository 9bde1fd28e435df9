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
struct GroupCommit {
  private let probeName: ChannelName
  private var calls = PublishCalls()
  /// What is under way, or was last.
  private(set) var batch = PublishBatch()
  private var bisection = Bisection()
  private var probe: UInt64?

  init(probeName: ChannelName) { self.probeName = probeName }

  var nextDeadline: LoopInstant? { calls.nextDeadline }

  mutating func append(_ new: [PublishCall], deadline: LoopInstant) { calls.append(new, deadline: deadline) }

  mutating func append(probe number: UInt64) { probe = number }

  /// Makes the next batch. Returns false when there is nothing to send.
  mutating func next() -> Bool {
    batch.clear()
    // The probe goes alone then, or a message beside it that is refused would hold it up.
    let limit = bisection.isUnderWay && probe != nil ? 0 : bisection.limit
    if let probe { batch.add(probe: probe, on: probeName) }
    probe = nil
    calls.sendEach { batch.messages < limit && batch.add($0) }
    guard !batch.isEmpty else { return false }
    batch.finish()
    return true
  }

  /// The batch is committed.
  mutating func succeeded() {
    bisection.advance(by: batch.messages)
    calls.accepted(batch.messages)
  }

  /// The database has refused the batch, and so has none of it.
  ///
  /// - Returns: Why the session can't go on, or nil when it can.
  mutating func refused(_ state: SQLState, _ reason: String) -> BroadcastError? {
    let count = batch.messages
    if state.concernsData, count > 1 || count == 1 && batch.probe != nil {
      calls.takeBack()
      bisection.split(count)
      probe = batch.probe
      return nil
    }
    // Without a way for the probe there is none for messages.
    if state.endsSession || batch.probe != nil { return PostgresError.sessionRefused(state, reason) }
    bisection.advance(by: count)
    let error = PostgresError.refused(state, reason, to: "publish")
    for _ in 0..<count { calls.refused(error) }
    return nil
  }

  mutating func expire(now: LoopInstant, because error: BroadcastError) { calls.expire(now: now, because: error) }

  /// The session is over, and with it all calls.
  mutating func fail(because error: BroadcastError) { calls.fail(because: error) }
}
