//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// Who has which connection, and who waits for one, in the order of coming.
final class ConnectionQueue: Sendable {
  private enum Phase { case notYet, open, ended }
  private struct Waiter {
    let ticket: UInt64
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Result<Connection, DatabaseError>, Never>
  }
  private struct State {
    var phase = Phase.notYet
    var free: [Connection] = []
    var waiters: [Waiter] = []
    var lastTicket: UInt64 = 0
    var wasReached = false
  }
  private let state = Mutex(State())
  private let limit: Int
  private let patience: Duration

  init(limit: Int, patience: Duration) {
    self.limit = limit
    self.patience = patience
  }

  var wasReached: Bool { state.withLock { $0.wasReached } }
  func reached() { state.withLock { $0.wasReached = true } }

  func open(with connections: [Connection]) throws(DatabaseError) {
    let isFirst = state.withLock { state in
      guard state.phase == .notYet else { return false }
      state.phase = .open
      return true
    }
    guard isFirst else { throw DatabaseError(.notRunning, "A database can be run once.") }
    for connection in connections { giveBack(connection) }
  }

  func close() {
    let waiters = state.withLock { state in
      state.phase = .ended
      state.free = []
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.continuation.resume(returning: .failure(.ended)) }
  }

  /// Waits for a connection, which has to be given back.
  func take() async throws(DatabaseError) -> Connection {
    try await waitUntilOpen()
    let ticket = state.withLock { state in
      state.lastTicket += 1
      return state.lastTicket
    }
    let result: Result<Connection, DatabaseError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let result: Result<Connection, DatabaseError>? = state.withLock { state in
          if Task.isCancelled { return .failure(.cancelled) }
          if state.phase == .ended { return .failure(.ended) }
          if let connection = state.free.popLast() { return .success(connection) }
          guard state.waiters.count < limit else {
            return .failure(DatabaseError(.busy, "\(limit) statements wait for the database already. Try again later."))
          }
          state.waiters.append(Waiter(ticket: ticket, deadline: .now + patience, continuation: continuation))
          return nil
        }
        if let result { continuation.resume(returning: result) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.waiters.firstIndex { $0.ticket == ticket }.map { state.waiters.remove(at: $0) }
      }
      waiter?.continuation.resume(returning: .failure(.cancelled))
    }
    return try result.get()
  }

  /// Returns when `run()` has begun. It is called beside the program, so that the first statement may come before it; nobody tells
  /// when nobody calls it.
  private func waitUntilOpen() async throws(DatabaseError) {
    let deadline = ContinuousClock.now + patience
    while state.withLock({ $0.phase == .notYet }) {
      guard ContinuousClock.now < deadline else {
        throw DatabaseError(
          .notRunning, "Nobody called run() within \(patience). Call it beside the program, or use withDatabase.")
      }
      // It is a matter of one start, where run() and the first statement are side by side: not worth a queue of its own.
      do { try await Task.sleep(for: .milliseconds(5)) } catch { throw .cancelled }
    }
  }

  func giveBack(_ connection: Connection) {
    let waiter: Waiter? = state.withLock { state in
      guard state.phase == .open else { return nil }
      guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
      state.free.append(connection)
      return nil
    }
    waiter?.continuation.resume(returning: .success(connection))
  }

  /// Lets those go who have waited for too long.
  func expire() {
    let late = state.withLock { state in
      let now = ContinuousClock.now
      let late = state.waiters.filter { $0.deadline <= now }
      state.waiters.removeAll { $0.deadline <= now }
      return late
    }
    let error = DatabaseError(.busy, "No connection to the database was free within \(patience). Try again later.")
    for waiter in late { waiter.continuation.resume(returning: .failure(error)) }
  }
}
