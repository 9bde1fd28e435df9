//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// A call of `publish` that a connection has taken on: how many of its messages were sent, what the broker has answered to
/// them, and what its caller is told.
struct PendingCall {
  var call: PublishCall
  let deadline: LoopInstant
  /// How many of its messages are to be sent.
  private(set) var count: Int
  private(set) var sent = 0
  private(set) var answered = 0
  /// Why a message of it did not get through: the first such answer.
  private var failure: BroadcastError?
  /// A message got through, or the answer to it leaves that open.
  private var mayHaveArrived = false
  /// Of the messages that were answered. None until one of them has a position, so that calls without one need no memory.
  private var receipts: [Receipt] = []

  init(_ call: PublishCall, deadline: LoopInstant) {
    self.call = call
    self.deadline = deadline
    count = call.messages.count
  }

  var unanswered: Int { sent - answered }
  var isAnswered: Bool { answered == count }

  // MARK: Sending

  mutating func send(_ more: Int) { sent += more }

  /// What was sent and not answered is to be sent once more.
  mutating func takeBack() { sent = answered }

  /// What has not been sent never will be.
  mutating func stopSending() { count = sent }

  // MARK: Answers

  /// The broker has so many messages.
  mutating func accept(_ more: Int) {
    if !receipts.isEmpty { receipts.append(contentsOf: repeatElement(Receipt(), count: more)) }
    answered += more
    mayHaveArrived = true
  }

  /// The broker has the next message, and says where.
  mutating func accept(at position: MessagePosition) {
    if receipts.isEmpty {
      receipts.reserveCapacity(count)
      receipts.append(contentsOf: repeatElement(Receipt(), count: answered))
    }
    receipts.append(Receipt(position: position))
    answered += 1
    mayHaveArrived = true
  }

  /// The broker has not taken a message, or nobody knows, as the error's outcome says; without one it has not.
  mutating func refuse(_ error: BroadcastError) {
    answered += 1
    note(error)
  }

  /// Keeps the first reason.
  mutating func note(_ error: BroadcastError) {
    if error.outcome == .unconfirmed { mayHaveArrived = true }
    if failure == nil { failure = error }
  }

  // MARK: The end

  /// Tells the caller what the answers say. All are in.
  ///
  /// Without the messages by then: see ``PublishCall/dropMessages()``.
  mutating func end() {
    call.dropMessages()
    call.end(conclusion, receipts)
  }

  /// Tells the caller before all answers are in. A failure that was answered counts for more than this one.
  mutating func end(because error: BroadcastError) {
    note(error)
    end()
  }

  /// A call fails as a whole, so it has not been sent only where none of its messages can have arrived.
  private var conclusion: BroadcastError? {
    guard var error = failure else { return nil }
    error.outcome = mayHaveArrived || unanswered > 0 ? .unconfirmed : .notSent
    return error
  }
}
