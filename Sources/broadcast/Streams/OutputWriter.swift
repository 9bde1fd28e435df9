//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Writes to a descriptor that may block, for one task: to a terminal, a pipe, a file.
///
/// A thread writes as long as there is something to write. (For why the descriptor stays as it is, see ``InputReader``.)
/// When much waits, the writing task waits too: so nothing grows here, and who is told to wait is the subscription.
final class OutputWriter: Sendable {
  /// What may wait while the thread writes as much again, in bytes; beyond it the writer waits. One message may go over it.
  static let maxWaiting = 256 << 10

  private struct State {
    var waiting: [UInt8] = []
    var isWriting = false
    var failure: StreamFailure?
    var waiter: (goal: Goal, continuation: UnsafeContinuation<Void, Never>)?
    /// Waits for the end of the other side.
    var watcher: UnsafeContinuation<Void, Never>?

    func hasReached(_ goal: Goal) -> Bool {
      if failure != nil { return true }
      return goal == .room ? waiting.count <= OutputWriter.maxWaiting : !isWriting
    }

    mutating func takeReadyWaiter() -> UnsafeContinuation<Void, Never>? {
      guard let waiter, hasReached(waiter.goal) else { return nil }
      self.waiter = nil
      return waiter.continuation
    }
  }

  private enum Goal { case room, flushed }

  private let descriptor: Int32
  private let state = Lock(State())

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Takes `bytes` to write, and returns when there is room for more.
  ///
  /// - Throws: ``StreamFailure``, also for what was written before.
  func write(_ bytes: [UInt8]) async throws(StreamFailure) {
    let (isIdle, hasRoom) = try state.withLock { state throws(StreamFailure) in
      if let failure = state.failure { throw failure }
      state.waiting += bytes
      defer { state.isWriting = true }
      return (!state.isWriting, state.hasReached(.room))
    }
    if isIdle {
      let status = DetachedThread.start { self.writeAll() }
      if status != 0 { fail(.system("no thread to write standard output", errno: status)) }
    }
    if !hasRoom { try await wait(for: .room) }
  }

  /// Returns when all is written.
  func flush() async throws(StreamFailure) { try await wait(for: .flushed) }

  /// Waits until the other side has closed its end, also while nothing is written, or writing has failed.
  ///
  /// - Returns: which of them; nil when the task was cancelled. The thread which watches the descriptor stays until the
  ///   other side closes, and keeps the writer so long: the descriptor may not be closed before.
  func closed() async -> StreamFailure? {
    // Without a thread the next write finds out.
    _ = DetachedThread.start { self.watch() }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        let isOver = state.withLock { state in
          if state.failure != nil || Task.isCancelled { return true }
          state.watcher = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.watcher.take() }?.resume()
    }
    return state.withLock { $0.failure }
  }

  /// Whether a task waits here now.
  var hasWaiter: Bool { state.withLock { $0.waiter != nil || $0.watcher != nil } }

  private func wait(for goal: Goal) async throws(StreamFailure) {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        let isOver = state.withLock { state in
          if state.hasReached(goal) || Task.isCancelled { return true }
          state.waiter = (goal, continuation)
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiter.take()?.continuation }?.resume()
    }
    let (failure, isReached) = state.withLock { ($0.failure, $0.hasReached(goal)) }
    if let failure { throw failure }
    if !isReached { throw .cancelled }
  }

  private func fail(_ failure: StreamFailure) {
    let woken = state.withLock { state in
      state.failure = state.failure ?? failure
      state.isWriting = false
      state.waiting = []
      return [state.takeReadyWaiter(), state.watcher.take()]
    }
    for continuation in woken { continuation?.resume() }
  }

  // MARK: The threads

  /// Writes until nothing waits any more.
  private func writeAll() {
    while true {
      let (bytes, waiter) = state.withLock { state in
        if state.waiting.isEmpty { state.isWriting = false }
        let bytes = state.waiting
        state.waiting = []
        return (bytes, state.takeReadyWaiter())
      }
      waiter?.resume()
      if bytes.isEmpty { return }
      var rest = bytes[...]
      while !rest.isEmpty {
        if let written = StandardStream.writeOnce(rest, to: descriptor) {
          rest = rest.dropFirst(written)
        } else if errno == EAGAIN {
          // Somebody else made it non-blocking.
          var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&state, 1, -1)
        } else {
          return fail(.system("standard output can't be written", errno: errno))
        }
      }
    }
  }

  /// Waits for the end of the other side: poll(2) tells of errors and hang-ups, whether asked for them or not.
  private func watch() {
    var state = pollfd(fd: descriptor, events: 0, revents: 0)
    while true {
      let count = poll(&state, 1, -1)
      if count > 0 { break }
      if count < 0, errno != EINTR { return }
    }
    // A descriptor that is none is for the next write to find out.
    if state.revents & Int16(POLLNVAL) == 0 { fail(.closed) }
  }
}
