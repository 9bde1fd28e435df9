//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A wait of a thread for a socket that others can end: a pipe stands beside the socket in `poll(2)`.
final class WakeUp: Sendable {
  enum Outcome { case ready, cancelled, interrupted, timedOut }

  private struct State {
    var lastTicket: UInt64 = 0
    /// The latest statement that was cancelled. Those before it are over.
    var cancelled: UInt64 = 0
    var isInterrupted = false
  }
  private let state = Mutex(State())
  private let reading: CInt
  private let writing: CInt

  init() throws(DatabaseError) {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw DatabaseError(.unavailable, "The system has no descriptors left: \(String(cString: strerror(errno)))")
    }
    (reading, writing) = (ends[0], ends[1])
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
  }

  deinit {
    close(reading)
    close(writing)
  }

  /// For one statement, so that a late cancellation does not hit the next one.
  func newTicket() -> UInt64 {
    state.withLock { state in
      state.lastTicket += 1
      return state.lastTicket
    }
  }

  func cancel(_ ticket: UInt64) {
    state.withLock { $0.cancelled = max($0.cancelled, ticket) }
    wake()
  }

  func interruptForGood() {
    state.withLock { $0.isInterrupted = true }
    wake()
  }

  private func wake() {
    var byte: UInt8 = 0
    // A full pipe has woken already.
    _ = write(writing, &byte, 1)
  }

  /// Waits until the socket can be read, or written, or until `deadline`. With -1 for the socket it is a pause. A ticket that was
  /// cancelled already ends the wait once: the pipe is empty after that.
  func wait(
    for socket: CInt, writing wantsToWrite: Bool, until deadline: ContinuousClock.Instant, _ ticket: UInt64?
  ) -> Outcome {
    while true {
      var watched = [
        pollfd(fd: socket, events: Int16(wantsToWrite ? POLLIN | POLLOUT : POLLIN), revents: 0),
        pollfd(fd: reading, events: Int16(POLLIN), revents: 0),
      ]
      let left = max(.zero, deadline - .now)
      // Rounded up, or it would turn without a pause in the last millisecond.
      let milliseconds = min(60_000, left / .milliseconds(1)).rounded(.up)
      let count = poll(&watched, 2, CInt(milliseconds))
      if watched[1].revents != 0 {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(reading, &bytes, bytes.count) > 0 {}
        if let ticket, state.withLock({ $0.cancelled >= ticket }) { return .cancelled }
      }
      if state.withLock({ $0.isInterrupted }) { return .interrupted }
      if watched[0].revents != 0 { return .ready }
      if count == 0, deadline <= .now { return .timedOut }
    }
  }
}
