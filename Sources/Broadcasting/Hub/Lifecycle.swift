//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Where a hub stands between its making and its end, as a machine that does nothing itself.
struct Lifecycle: Sendable {
  enum Phase: Sendable {
    /// `run()` has not been called.
    case idle
    /// `run()` has been called, and there was no connection yet.
    case starting
    case connected
    /// The connection is gone, for this reason.
    case disconnected(BroadcastError)
    case ended
  }

  enum Admission: Sendable {
    case open
    case wait
    case refuse(BroadcastError)
  }

  private(set) var phase = Phase.idle
  /// Sessions are numbered, so that what a past one still says is known as such.
  private(set) var session = 0
  private var isSessionConnected = false
  private var waiters: [Latch] = []

  /// Whether a call may go on. `waiter` is kept, and resolved later, where it has to wait.
  mutating func admit(_ waiter: Latch?) -> Admission {
    switch phase {
    case .idle, .starting:
      if let waiter { waiters.append(waiter) }
      return .wait
    case .connected: return .open
    case .disconnected(let reason): return .refuse(reason)
    case .ended: return .refuse(.ended)
    }
  }

  mutating func forget(_ waiter: Latch) { waiters.removeAll { $0 === waiter } }

  /// `run()` is called.
  mutating func start() throws(BroadcastError) {
    switch phase {
    case .idle: phase = .starting
    case .ended: throw .ended
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
    phase = .connected
    defer { waiters = [] }
    return waiters
  }

  /// A session is over. Returns whether it had been connected.
  mutating func endSession(_ reason: BroadcastError) -> Bool {
    guard isSessionConnected else { return false }
    session += 1
    isSessionConnected = false
    phase = .disconnected(reason)
    return true
  }

  /// `run()` ends. Returns who still waited for its start.
  mutating func end() -> [Latch] {
    phase = .ended
    session += 1
    defer { waiters = [] }
    return waiters
  }

  func isCurrent(_ session: Int) -> Bool { session == self.session && isSessionConnected }
}
