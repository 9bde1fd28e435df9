//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import CLibpq

/// From the first step of connecting to where it serves: everything here waits for the server, with a limit.
extension PostgresLine {
  /// Connects, logs in and runs the first statements.
  ///
  /// - Parameters:
  ///   - parameters: As libpq takes them. A host needs its `hostaddr`, or libpq would look it up and block.
  ///   - statements: Run at once, in one transaction.
  ///   - limit: How long all of it may take.
  static func open(
    _ parameters: [String: String], running statements: String, on loop: EventLoop, within limit: Duration
  ) async throws(LineFailure) -> PostgresLine {
    let line = try PostgresLine(parameters, on: loop)
    do throws(LineFailure) {
      try await line.open(running: statements, within: limit)
      return line
    } catch {
      line.close()
      throw error
    }
  }

  private func open(running statements: String, within limit: Duration) async throws(LineFailure) {
    let timer = try limitWaiting(to: limit)
    defer { end(timer) }
    try await connect()
    PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
    guard PQsetnonblocking(connection, 1) == 0 else { throw failure() }
    stage = .settingUp
    try await run(statements)
  }

  private func limitWaiting(to limit: Duration) throws(LineFailure) -> LoopTimer {
    let timer: LoopTimer
    do throws(NetworkError) { timer = try LoopTimer(on: loop) } catch { throw LineFailure(error, at: stage) }
    isLate = false
    timer.whenClosed = { self.stopWaiting() }
    timer.start(after: limit) {
      self.isLate = true
      self.stopWaiting()
    }
    return timer
  }

  private func end(_ timer: LoopTimer) {
    timer.whenClosed = nil
    timer.close()
  }

  private func connect() async throws(LineFailure) {
    guard PQstatus(connection) != CONNECTION_BAD else { throw failure() }
    var awaited = PGRES_POLLING_WRITING
    while true {
      // Until the first step it waits to write, as the manual says. A step may change the socket.
      try await wait(for: awaited == PGRES_POLLING_READING ? .readable : .writable)
      noteStage()
      awaited = PQconnectPoll(connection)
      if awaited == PGRES_POLLING_OK { return }
      if awaited == PGRES_POLLING_FAILED { throw failure() }
    }
  }

  private func noteStage() {
    switch PQstatus(connection) {
    case CONNECTION_NEEDED, CONNECTION_STARTED, CONNECTION_MADE: stage = .connecting
    case CONNECTION_SSL_STARTUP, CONNECTION_GSS_STARTUP: stage = .encrypting
    default: stage = .loggingIn
    }
  }

  /// Runs more statements in one transaction. Only before it is started.
  func run(_ statements: String, within limit: Duration) async throws(LineFailure) {
    let timer = try limitWaiting(to: limit)
    defer { end(timer) }
    try await run(statements)
  }

  /// Returns when a notification on a channel has come. Only before it is started: it takes all others too.
  func hear(_ name: ChannelName, within limit: Duration) async throws(LineFailure) {
    let timer = try limitWaiting(to: limit)
    defer { end(timer) }
    var isHeard = false
    while true {
      takeNotifications { channel, _, _ in if channel.elementsEqual(name.bytes) { isHeard = true } }
      if isHeard { return }
      if !hasPendingInput { try await wait(for: .readable) }
      if PQconsumeInput(connection) == 0 { throw failure() }
    }
  }

  private func run(_ statements: String) async throws(LineFailure) {
    guard PQsendQuery(connection, statements) == 1 else { throw failure() }
    isAsking = true
    answer = .done
    while isAsking {
      if PQflush(connection) == 1 {
        try await wait(for: .writable)
      } else if takeAnswers() {
        break
      } else {
        try await wait(for: .readable)
        if PQconsumeInput(connection) == 0 { throw failure() }
      }
    }
    if case .refused(let state, let reason) = answer { throw LineFailure(.server(state), at: stage, reason) }
  }

  /// The handle is made anew each time, since libpq may close the socket in each step and open another one.
  private func wait(for event: ReadyEvents) async throws(LineFailure) {
    if isLate { throw LineFailure(.timedOut, at: stage) }
    let readiness = Readiness(of: PQsocket(connection), on: loop)
    self.readiness = readiness
    let failure: NetworkError?
    do throws(NetworkError) {
      if event == .readable { try await readiness.readable() } else { try await readiness.writable() }
      failure = nil
    } catch {
      failure = error
    }
    stopWaiting()
    if isLate { throw LineFailure(.timedOut, at: stage) }
    if let failure { throw LineFailure(failure, at: stage) }
  }

  private func stopWaiting() { readiness.take()?.assumeIsolated { $0.close() } }
}
