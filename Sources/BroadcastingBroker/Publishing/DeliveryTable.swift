//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
package import BroadcastingNetwork

/// The calls of `publish` that wait for reports of a library which takes messages and tells of each what became of it, in
/// any order.
///
/// A call has a token, which goes with each of its messages and comes back with its report. A caller is told once: with the
/// last report, at the deadline, or at an end. The token means nothing from then on, so that whatever still comes with it is
/// ignored, and nothing is kept for it.
package struct DeliveryTable {
  /// Never 0, and fits a pointer of 64 bits, which is what libraries take for it.
  package typealias Token = UInt64

  /// What became of a message. The outcome follows from which it is, not from what the error says of it.
  package enum Outcome: Sendable {
    case delivered
    case notSent(BroadcastError)
    case unconfirmed(BroadcastError)
  }

  private struct Slot {
    var pending: PendingCall?
    /// The upper half of its token, another one for each call.
    var stamp: UInt32
    /// Its neighbours in the order of deadlines; of a free slot the next one that is free.
    var earlier: Int?
    var later: Int?
  }

  private var slots: [Slot] = []
  private var firstFree: Int?
  private var lastStamp: UInt32 = 0
  private var soonest: Int?
  private var latest: Int?

  /// Callers who have not been told.
  package private(set) var waitingCalls = 0

  package init() {}

  /// When to call ``expire(now:because:)`` next, or nil while nobody waits.
  package var nextDeadline: LoopInstant? { soonest.flatMap { slots[$0].pending?.deadline } }

  /// Takes a call on. One without messages ends at once.
  package mutating func add(_ call: PublishCall, deadline: LoopInstant) -> Token {
    lastStamp = lastStamp == .max ? 1 : lastStamp + 1
    let slot = Slot(pending: PendingCall(call, deadline: deadline), stamp: lastStamp)
    let index: Int
    if let free = firstFree {
      index = free
      firstFree = slots[free].later
      slots[free] = slot
    } else {
      index = slots.count
      slots.append(slot)
    }
    waitingCalls += 1
    enqueue(index, deadline)
    if call.messages.isEmpty { finish(index) { $0.end() } }
    return Token(slot.stamp) << 32 | Token(index)
  }

  // MARK: Messages on their way

  /// The messages of a call that are not with the library yet. Nil where its caller has been told: don't produce them.
  package func messages(of token: Token) -> ArraySlice<Message>? {
    guard let index = index(of: token), let pending = slots[index].pending else { return nil }
    return pending.call.messages[pending.sent..<pending.count]
  }

  /// The library has taken the next so many messages.
  package mutating func produced(_ token: Token, _ count: Int) {
    guard let index = index(of: token) else { return }
    slots[index].pending?.send(count)
  }

  /// The library does not take the others of a call. It ends when those that it took are reported.
  package mutating func refused(_ token: Token, because error: BroadcastError) {
    guard let index = index(of: token) else { return }
    var error = error
    error.outcome = .notSent
    slots[index].pending?.note(error)
    slots[index].pending?.stopSending()
    endIfAnswered(index)
  }

  /// A message that the library had taken is reported.
  package mutating func settle(_ token: Token, _ outcome: Outcome) {
    guard let index = index(of: token), let unanswered = slots[index].pending?.unanswered, unanswered > 0 else {
      return
    }
    switch outcome {
    case .delivered:
      slots[index].pending?.accept(1)
    case .notSent(var error):
      error.outcome = .notSent
      slots[index].pending?.refuse(error)
    case .unconfirmed(var error):
      error.outcome = .unconfirmed
      slots[index].pending?.refuse(error)
    }
    endIfAnswered(index)
  }

  private mutating func endIfAnswered(_ index: Int) {
    if slots[index].pending?.isAnswered == true { finish(index) { $0.end() } }
  }

  // MARK: Endings

  /// Tells the callers whose deadline has passed.
  package mutating func expire(now: LoopInstant, because error: BroadcastError) {
    while let index = soonest, let deadline = slots[index].pending?.deadline, deadline <= now {
      finish(index) { $0.end(because: error) }
    }
  }

  /// The library begins anew, and of what it had taken it reports no more. Calls of which all is reported stay, and go on.
  package mutating func nextGeneration(because error: BroadcastError) {
    endEach(because: error) { $0.unanswered > 0 }
  }

  /// The session is over, and with it all calls.
  package mutating func fail(because error: BroadcastError) { endEach(because: error) { _ in true } }

  /// Ends calls in the order of their deadlines.
  private mutating func endEach(because error: BroadcastError, where isOver: (PendingCall) -> Bool) {
    var next = soonest
    while let index = next {
      // Read before the end, which may let go of all slots with the last call.
      next = slots[index].later
      if let pending = slots[index].pending, isOver(pending) { finish(index) { $0.end(because: error) } }
    }
  }

  // MARK: Slots

  private func index(of token: Token) -> Int? {
    let index = Int(token & 0xFFFF_FFFF)
    guard index < slots.count, slots[index].stamp == token >> 32, slots[index].pending != nil else { return nil }
    return index
  }

  /// Behind all that are due earlier or with it: nearly always at the end, since calls get the same time.
  private mutating func enqueue(_ index: Int, _ deadline: LoopInstant) {
    var earlier = latest
    while let other = earlier, let due = slots[other].pending?.deadline, due > deadline {
      earlier = slots[other].earlier
    }
    let later = if let earlier { slots[earlier].later } else { soonest }
    slots[index].earlier = earlier
    slots[index].later = later
    if let earlier { slots[earlier].later = index } else { soonest = index }
    if let later { slots[later].earlier = index } else { latest = index }
  }

  /// Lets go of a call, and ends it.
  private mutating func finish(_ index: Int, _ end: (inout PendingCall) -> Void) {
    guard var pending = slots[index].pending.take() else { return }
    let (earlier, later) = (slots[index].earlier, slots[index].later)
    if let earlier { slots[earlier].later = later } else { soonest = later }
    if let later { slots[later].earlier = earlier } else { latest = earlier }
    slots[index].later = firstFree
    firstFree = index
    waitingCalls -= 1
    if waitingCalls == 0, slots.count > 4_096 {
      slots = []
      firstFree = nil
    }
    end(&pending)
  }
}
