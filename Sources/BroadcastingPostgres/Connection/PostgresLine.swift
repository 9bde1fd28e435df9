//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import CLibpq
import COpenSSLTLS

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One connection of libpq on a loop, which belongs to the loop's thread. Nothing else calls libpq for a connection.
///
/// One query is under way at a time. After ``start(onInput:onFailure:)`` it tells when something has come.
final class PostgresLine {
  private let connection: OpaquePointer
  private let loop: EventLoop
  private var handle: PollHandle?
  private var isClosed = false
  // While it is opened.
  private var readiness: Readiness?
  private var stage = LineFailure.Stage.connecting
  private var isLate = false
  // While it serves.
  private var onInput: () -> Void = {}
  private var onFailure: (LineFailure) -> Void = { _ in }
  private(set) var isAsking = false
  private var answer = LineAnswer.done
  /// What the server said last before it ended the session.
  fileprivate var farewell: ServerWords?

  private init(_ parameters: [String: String], on loop: EventLoop) throws(LineFailure) {
    guard let connection = ConnectionInfo.withArrays(parameters, { PQconnectStartParams($0, $1, 0) }) else {
      throw LineFailure(.other, at: .connecting, "There is no memory for it.")
    }
    self.connection = connection
    self.loop = loop
    // A notice is for a person at a terminal, except for the last words of a session.
    PQsetNoticeReceiver(connection, lineWasNoticed, Unmanaged.passUnretained(self).toOpaque())
    // Only so do answers at the log-in have their SQLSTATE.
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
  }

  deinit { close() }

  /// Closes it. Nothing is called back afterwards.
  func close() {
    if isClosed { return }
    isClosed = true
    onInput = {}
    onFailure = { _ in }
    // Before the descriptor, which is libpq's.
    handle.take()?.close()
    PQfinish(connection)
  }

  // MARK: Opening

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

  // MARK: Serving

  /// From now on `onInput` is called when something has come, and `onFailure` at most once.
  func start(onInput: @escaping () -> Void, onFailure: @escaping (LineFailure) -> Void) throws(LineFailure) {
    self.onInput = onInput
    self.onFailure = onFailure
    stage = .established
    do throws(NetworkError) {
      handle = try PollHandle(PQsocket(connection), on: loop) { [unowned self] events in ready(events) }
    } catch {
      throw LineFailure(error, at: stage)
    }
    handle?.whenClosed = { [weak self] in self?.fail(LineFailure(.other, at: .established, "The event loop has ended."))
    }
    handle?.watch(.readable)
    // What came with the last answer does not make the socket ready again.
    onInput()
  }

  /// Whether the database makes sure that text is UTF-8. It does not where its own encoding is `SQL_ASCII`.
  var isTextValid: Bool {
    guard let encoding = PQparameterStatus(connection, "server_encoding") else { return false }
    return String(cString: encoding) != "SQL_ASCII"
  }

  private func ready(_ events: ReadyEvents) {
    if events.contains(.readable) {
      repeat {
        if PQconsumeInput(connection) == 0 { return fail(failure()) }
        onInput()
        // What TLS has read ahead does not make the socket ready.
      } while !isClosed && hasPendingInput
    }
    if !isClosed, events.contains(.writable) { flush() }
  }

  private var hasPendingInput: Bool {
    guard let tls = PQgetssl(connection) else { return false }
    return SSL_pending(OpaquePointer(tls)) > 0
  }

  private func flush() {
    switch PQflush(connection) {
    case 0: handle?.watch(.readable)
    case 1: handle?.watch([.readable, .writable])
    default: fail(failure())
    }
  }

  private func fail(_ failure: LineFailure) {
    let tell = onFailure
    close()
    tell(failure)
  }

  // MARK: Queries

  /// Sends statements that are run in one transaction.
  func ask(_ statements: String) { begin(PQsendQuery(connection, statements)) }

  /// Runs a prepared statement with two arrays of text.
  func ask(_ statement: String, _ first: TextArray, _ second: TextArray) {
    let status = first.bytes.withUnsafeBytes { first in
      second.bytes.withUnsafeBytes { second in
        var values: (UnsafePointer<CChar>?, UnsafePointer<CChar>?) = (
          first.bindMemory(to: CChar.self).baseAddress, second.bindMemory(to: CChar.self).baseAddress
        )
        var lengths = (CInt(first.count), CInt(second.count))
        var formats: (CInt, CInt) = (1, 1)
        return withUnsafeBytes(of: &values) { values in
          withUnsafeBytes(of: &lengths) { lengths in
            withUnsafeBytes(of: &formats) { formats in
              PQsendQueryPrepared(
                connection, statement, 2, values.assumingMemoryBound(to: UnsafePointer<CChar>?.self).baseAddress,
                lengths.assumingMemoryBound(to: CInt.self).baseAddress,
                formats.assumingMemoryBound(to: CInt.self).baseAddress, 0)
            }
          }
        }
      }
    }
    begin(status)
  }

  private func begin(_ status: CInt) {
    guard status == 1 else { return fail(failure()) }
    isAsking = true
    answer = .done
    flush()
  }

  /// The answer to the query under way, once, when it is complete.
  func takeAnswer() -> LineAnswer? { isAsking && takeAnswers() ? answer : nil }

  /// Takes what has come of the answer. Returns whether that was the last of it.
  private func takeAnswers() -> Bool {
    while PQisBusy(connection) == 0 {
      guard let result = PQgetResult(connection) else {
        isAsking = false
        return true
      }
      if PQresultStatus(result) == PGRES_FATAL_ERROR, case .done = answer {
        let words = ServerWords(of: result)
        answer = .refused(words.state, reason: words.reason)
      }
      PQclear(result)
    }
    return false
  }

  /// Gives `body` the name of the channel, the payload and the sender's process for each notification that has come.
  func takeNotifications(_ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>, Int32) -> Void) {
    while !isClosed, let notification = PQnotifies(connection) {
      body(
        bytes(notification.pointee.relname), bytes(notification.pointee.extra), notification.pointee.be_pid)
      PQfreemem(notification)
    }
  }

  private func failure() -> LineFailure {
    // Reads the server's last words, where those have come.
    _ = PQisBusy(connection)
    if PQconnectionNeedsPassword(connection) != 0 { return LineFailure(.passwordMissing, at: stage) }
    if let farewell { return LineFailure(.server(farewell.state), at: stage, farewell.reason) }
    let text = ServerText(PQerrorMessage(connection).map { String(cString: $0) } ?? "")
    return LineFailure(text.state.map { .server($0) } ?? .other, at: stage, text.reason)
  }
}

private func bytes(_ text: UnsafePointer<CChar>) -> UnsafeBufferPointer<UInt8> {
  UnsafeBufferPointer(start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: strlen(text))
}

private func lineWasNoticed(_ line: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
  guard let line, ServerWords.areLast(result) else { return }
  Unmanaged<PostgresLine>.fromOpaque(line).takeUnretainedValue().farewell = ServerWords(of: result)
}
