//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
package import BroadcastingNetwork

/// The calls of `publish` that a connection has taken on, in their order, message by message: first those that the broker
/// has been sent and has not answered, then those that have not been sent.
///
/// The broker answers in the order in which it was asked. A caller whose deadline passes is told so; what was sent for it
/// stays in its place until the answer comes, which then nobody gets.
package struct PublishCalls {
  private struct Entry {
    var pending: PendingCall
    /// The caller has been told, because of the deadline.
    var isAbandoned = false
  }

  private var entries: [Entry] = []
  /// Entries before it are over.
  private var first = 0
  /// The first entry with a message that has not been sent.
  private var nextUnsent = 0
  /// Entries before it are over or abandoned.
  private var firstWaiting = 0

  package private(set) var unansweredMessages = 0

  package init() {}

  package var hasUnsent: Bool { nextUnsent < entries.count }

  /// When to call ``expire(now:because:)`` next, or nil while nobody waits.
  package var nextDeadline: LoopInstant? { firstWaiting < entries.count ? entries[firstWaiting].pending.deadline : nil }

  package mutating func append(_ calls: [PublishCall], deadline: LoopInstant) {
    for call in calls {
      if call.messages.isEmpty {
        call.end(nil)
      } else {
        entries.append(Entry(pending: PendingCall(call, deadline: deadline)))
      }
    }
  }

  // MARK: Sending

  /// Gives `send` the messages that have not been sent, one after the other, until it returns false for one: that and the
  /// others stay unsent.
  package mutating func sendEach(_ send: (Message) -> Bool) {
    while nextUnsent < entries.count {
      let count = entries[nextUnsent].pending.count
      let first = entries[nextUnsent].pending.sent
      var sent = first
      entries[nextUnsent].pending.call.messages.withUnsafeBufferPointer { messages in
        while sent < count, send(messages[sent]) { sent += 1 }
      }
      unansweredMessages += sent - first
      entries[nextUnsent].pending.send(sent - first)
      guard sent == count else { return }
      nextUnsent += 1
    }
  }

  /// All that was sent and not answered is to be sent once more: the broker has taken none of it.
  package mutating func takeBack() {
    for index in first..<entries.count {
      entries[index].pending.takeBack()
      if entries[index].isAbandoned { entries[index].pending.stopSending() }
    }
    unansweredMessages = 0
    nextUnsent = first
    dropFinished()
  }

  // MARK: Answers

  /// The broker has the oldest `count` messages that it had not answered.
  package mutating func accepted(_ count: Int) {
    var left = count
    while left > 0, first < entries.count, entries[first].pending.unanswered > 0 {
      let step = min(left, entries[first].pending.unanswered)
      entries[first].pending.accept(step)
      unansweredMessages -= step
      left -= step
      endFirstIfDone()
    }
  }

  /// The broker has the oldest message that it had not answered, and says where.
  package mutating func accepted(at position: MessagePosition) {
    guard first < entries.count, entries[first].pending.unanswered > 0 else { return }
    entries[first].pending.accept(at: position)
    unansweredMessages -= 1
    endFirstIfDone()
  }

  /// The channel of the oldest message that the broker has not answered. Nil where nobody waits for its answer any more.
  package var oldestChannel: Channel? {
    guard let entry = entries[first...].first?.pending,
      entry.answered < min(entry.sent, entry.call.messages.count)
    else { return nil }
    return entry.call.messages[entry.answered].channel
  }

  /// The broker has refused the oldest message that it had not answered.
  package mutating func refused(_ error: BroadcastError) {
    guard first < entries.count, entries[first].pending.unanswered > 0 else { return }
    entries[first].pending.refuse(error)
    unansweredMessages -= 1
    endFirstIfDone()
  }

  private mutating func endFirstIfDone() {
    guard entries[first].pending.isAnswered else { return }
    if !entries[first].isAbandoned { entries[first].pending.end() }
    first += 1
    dropFinished()
  }

  private mutating func dropFinished() {
    while first < entries.count, entries[first].pending.isAnswered, entries[first].isAbandoned {
      first += 1
    }
    nextUnsent = max(nextUnsent, first)
    firstWaiting = max(firstWaiting, first)
    if first == entries.count {
      entries.removeAll(keepingCapacity: entries.capacity <= 4_096)
      (first, nextUnsent, firstWaiting) = (0, 0, 0)
    } else if first > 1_024, first > entries.count / 2 {
      entries.removeFirst(first)
      (nextUnsent, firstWaiting, first) = (nextUnsent - first, firstWaiting - first, 0)
    }
  }

  // MARK: Endings

  /// Tells the callers whose deadline has passed. What has not been sent of theirs never will be.
  package mutating func expire(now: LoopInstant, because error: BroadcastError) {
    while firstWaiting < entries.count, entries[firstWaiting].pending.deadline <= now {
      entries[firstWaiting].pending.end(because: error)
      entries[firstWaiting].pending.stopSending()
      entries[firstWaiting].isAbandoned = true
      firstWaiting += 1
    }
    nextUnsent = max(nextUnsent, min(firstWaiting, entries.count))
    dropFinished()
  }

  /// The session is over, and with it all calls.
  package mutating func fail(because error: BroadcastError) {
    for index in firstWaiting..<entries.count { entries[index].pending.end(because: error) }
    self = PublishCalls()
  }
}
