//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Where a hub stands between its making and its end, as a machine that does nothing itself.
struct Lifecycle: Sendable {
  enum Phase: Sendable {
    /// `run()` has not been called.
    case idle
    /// `run()` has been called, and there was no connection yet. The error is that of the last attempt.
    case starting(BroadcastError?)
    case connected
    /// The connection is gone, for this reason: with its session, or with one that goes on without it.
    case disconnected(BroadcastError)
    /// `run()` has ended; the error is for calls that come after it.
    case ended(BroadcastError)
  }

  enum Admission: Sendable {
    case open
    case wait
    case refuse(BroadcastError)
  }

  private(set) var phase = Phase.idle
  /// Sessions are numbered, so that what a past one still says is known as such.
  private(set) var session = 0
  /// How often there was a connection again after the first.
  private(set) var reconnects = 0
  private var wasEverConnected = false
  var probes = ProbeRecord()
  private var isSessionConnected = false
  private var waiters: [Latch] = []
  /// Whether a session goes on without the connection that it had.
  private var isSuspended: Bool { if isSessionConnected, case .disconnected = phase { true } else { false } }

  /// Whether a call may go on. `waiter` is kept, and resolved later, where it has to wait.
  mutating func admit(_ waiter: Latch?) -> Admission {
    switch phase {
    case .idle, .starting:
      if let waiter { waiters.append(waiter) }
      return .wait
    case .connected: return .open
    case .disconnected(let reason), .ended(let reason): return .refuse(reason)
    }
  }

  mutating func forget(_ waiter: Latch) { waiters.removeAll { $0 === waiter } }

  /// Why a call which has waited for so long waits no more. Nil when its waiter has been taken out, to be resolved.
  func impatience(after patience: Duration) -> BroadcastError? {
    switch phase {
    case .idle: .neverStarted(after: patience)
    case .starting(let error): .notReached(after: patience, error)
    case .connected, .disconnected, .ended: nil
    }
  }

  /// `run()` is called.
  mutating func start() throws(BroadcastError) {
    switch phase {
    case .idle: phase = .starting(nil)
    case .ended(let reason): throw reason
    case .starting, .connected, .disconnected:
      throw BroadcastError(.alreadyRunning, "run() was called twice. Call it once, in one task.")
    }
  }

  mutating func beginSession() -> Int {
    session += 1
    isSessionConnected = false
    return session
  }

  /// A session has its connection, or has it again. Returns who waited for it, or nil when it is not news.
  mutating func connected(session: Int) -> [Latch]? {
    guard session == self.session, !isSessionConnected || isSuspended else { return nil }
    if case .ended = phase { return nil }
    isSessionConnected = true
    if wasEverConnected { reconnects += 1 }
    wasEverConnected = true
    phase = .connected
    defer { waiters = [] }
    return waiters
  }

  /// A session is without its connection, and goes on. Returns whether that is the beginning of it, or nil when there is
  /// nothing new.
  mutating func suspend(session: Int, because error: BroadcastError) -> Bool? {
    guard isCurrent(session) else { return nil }
    let isBeginning = !isSuspended
    if !isBeginning, case .disconnected(let reason) = phase, let known = reason.underlying as? BroadcastError,
      known.code == error.code, known.message == error.message
    {
      return nil
    }
    probes.forgetDelay()
    phase = .disconnected(.connectionLost(because: error))
    return isBeginning
  }

  /// A session is over. Returns why calls are refused from now on, and whether they were not before, or nil when it had
  /// not been connected.
  mutating func endSession(because error: BroadcastError) -> (reason: BroadcastError, isBeginning: Bool)? {
    let isBeginning = !isSuspended
    // What it still says comes too late, also that it is connected.
    session += 1
    guard isSessionConnected else {
      if case .starting = phase { phase = .starting(error) }
      return nil
    }
    let reason = BroadcastError.connectionLost(because: error)
    isSessionConnected = false
    probes.forgetDelay()
    phase = .disconnected(reason)
    return (reason, isBeginning)
  }

  /// `run()` ends. Returns who still waited for its start, and what they and all later calls fail with.
  mutating func end(_ failure: BroadcastError?) -> (waiters: [Latch], reason: BroadcastError) {
    let reason = failure.map(BroadcastError.failed) ?? .ended
    phase = .ended(reason)
    session += 1
    defer { waiters = [] }
    return (waiters, reason)
  }

  /// What calls fail with that find everything closed.
  var endReason: BroadcastError { if case .ended(let reason) = phase { reason } else { .ended } }

  func isCurrent(_ session: Int) -> Bool { session == self.session && isSessionConnected }
}
