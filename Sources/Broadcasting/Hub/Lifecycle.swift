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
    /// The connection is gone, for this reason.
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
  /// How often a session was connected after the first that was.
  private(set) var reconnects = 0
  private var wasEverConnected = false
  var probes = ProbeRecord()
  private var isSessionConnected = false
  private var waiters: [Latch] = []

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

  /// A session has its connection. Returns who waited for it, or nil when it is not news.
  mutating func connected(session: Int) -> [Latch]? {
    guard session == self.session, !isSessionConnected else { return nil }
    if case .ended = phase { return nil }
    isSessionConnected = true
    if wasEverConnected { reconnects += 1 }
    wasEverConnected = true
    phase = .connected
    defer { waiters = [] }
    return waiters
  }

  /// A session is over. Returns why calls are refused from now on, or nil when it had not been connected.
  mutating func endSession(because error: BroadcastError) -> BroadcastError? {
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
    return reason
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
