//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
import BroadcastingLocking
import Synchronization

/// Takes messages from any thread to the loop that publishes them.
///
/// Publishers wait here and not in the loop's actor: entering that from elsewhere wakes two threads for each message, while
/// here one signal to the loop serves all that were published until it came.
package final class PublishMailbox: Sendable {
  private struct State: Sendable {
    var calls: [PublishCall] = []
    /// Why nothing is taken.
    var refusal: BroadcastError?
    var wake: (@Sendable () -> Void)?
  }

  /// The most messages, and the most bytes of them, that wait for the broker's answer.
  private let maximumMessages: Int
  private let maximumBytes: Int
  /// What waits now: bytes, and from this bit on messages. One number, since each change costs every publisher something.
  private let held = Atomic<Int>(0)
  private static let messageBit = 40
  private let state: Lock<State>

  package init(maximumMessages: Int = 65_536, maximumBytes: Int = 64 * 1_024 * 1_024) {
    self.maximumMessages = maximumMessages
    self.maximumBytes = maximumBytes
    state = Lock(State(refusal: .notConnected.with(outcome: .notSent)))
  }

  /// Waits until the broker has the messages. Returns a receipt for each, or none at all where no message has a position.
  ///
  /// It does not end with the caller's task: what is on its way cannot be called back, and the loop sets it a deadline.
  @discardableResult
  package func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    let size = messages.reduce(0) { $0 + $1.bufferedBytes }
    try admit(messages.count, size)
    let result = await withUnsafeContinuation { caller in
      let call = PublishCall(messages, caller)
      let (refusal, wake) = state.withLock { state -> (BroadcastError?, (@Sendable () -> Void)?) in
        if let refusal = state.refusal { return (refusal, nil) }
        state.calls.append(call)
        return (nil, state.calls.count == 1 ? state.wake : nil)
      }
      if let refusal { call.end(refusal) } else { wake?() }
    }
    held.subtract(Self.weight(messages.count, size), ordering: .relaxed)
    return try result.get()
  }

  private static func weight(_ count: Int, _ size: Int) -> Int { count << messageBit + size }

  private func admit(_ count: Int, _ size: Int) throws(BroadcastError) {
    let held = self.held.add(Self.weight(count, size), ordering: .relaxed).newValue
    let (heldMessages, heldBytes) = (held >> Self.messageBit, held & (1 << Self.messageBit - 1))
    // One call alone may be larger than the limits: the hub has checked it against its own.
    if heldMessages <= max(maximumMessages, count), heldBytes <= max(maximumBytes, size) { return }
    self.held.subtract(Self.weight(count, size), ordering: .relaxed)
    throw BroadcastError(
      .unavailable,
      "\(heldMessages - count) messages of \(heldBytes - size) bytes wait for the broker's answer already; at most "
        + "\(maximumMessages) of \(maximumBytes) bytes may. Wait for some of them before you publish more.",
      isRetriable: true, outcome: .notSent)
  }

  // MARK: The loop's side

  /// Begins to take messages. `wake` is called on a publisher's thread when there is something after nothing.
  package func open(_ wake: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.refusal = nil
      state.wake = wake
    }
  }

  /// Refuses messages, also those that have not been taken.
  package func close(because error: BroadcastError) {
    let error = error.with(outcome: .notSent)
    let calls = state.withLock { state in
      state.refusal = error
      state.wake = nil
      defer { state.calls = [] }
      return state.calls
    }
    for call in calls { call.end(error) }
  }

  /// How many calls wait to be taken.
  package var count: Int { state.withLock { $0.calls.count } }

  package func takeAll() -> [PublishCall] {
    state.withLock { state in
      let calls = state.calls
      state.calls = []
      // As many are likely to come next.
      state.calls.reserveCapacity(min(calls.count, 1_024))
      return calls
    }
  }
}
