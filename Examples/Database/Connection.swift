//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CPostgres

/// One connection of libpq and the thread that it may block.
actor Connection {
  nonisolated let thread = ConnectionThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
  /// Wakes the thread out of its wait for the server.
  private nonisolated let wakeUp: WakeUp
  private let url: DatabaseURL
  private let limits: Database.Limits
  private var handle: OpaquePointer?

  init(to url: DatabaseURL, limits: Database.Limits) throws(DatabaseError) {
    self.url = url
    self.limits = limits
    wakeUp = try WakeUp()
  }

  /// Nothing that belongs to an earlier task, such as a transaction, is open after this.
  func prepare(patience: Duration) throws(DatabaseError) {
    if let handle, PQtransactionStatus(handle) != PQTRANS_IDLE || !isAlive(handle) { close() }
    if handle == nil { try open(patience: patience) }
  }

  func close() {
    PQfinish(handle)
    handle = nil
  }

  /// Whatever it waits for is given up, now and from here on. Callable from everywhere.
  nonisolated func interrupt() { wakeUp.interruptForGood() }

  /// Runs one statement, or with no parameters several of them, to the end.
  ///
  /// - Parameter isShielded: runs it although the task is cancelled.
  func run(
    _ sql: String, _ parameters: [Parameter], isSeveral: Bool = false, isShielded: Bool = false
  ) async throws(DatabaseError) -> Rows {
    if Task.isCancelled, !isShielded { throw .cancelled }
    guard !sql.utf8.contains(0), !parameters.contains(where: { $0.text?.utf8.contains(0) == true }) else {
      throw DatabaseError(.invalidParameter, "PostgreSQL takes no text with a NUL character (U+0000).")
    }
    guard parameters.count <= 65_535 else {
      throw DatabaseError(.invalidParameter, "A statement has at most 65,535 parameters; this has \(parameters.count).")
    }
    guard let handle else { throw DatabaseError(.unavailable, "The connection to the database was lost.") }
    let ticket = wakeUp.newTicket()
    let result: Result<Rows, DatabaseError> = await withTaskCancellationHandler {
      // Under the handler from its first moment: a cancellation that came before finds the ticket too.
      do throws(DatabaseError) {
        try send(sql, parameters, isSeveral: isSeveral, on: handle)
        return .success(try receive(on: handle, cancelledBy: isShielded ? nil : ticket))
      } catch {
        return .failure(error)
      }
    } onCancel: {
      wakeUp.cancel(ticket)
    }
    // It may have been closed already.
    if let handle = self.handle, PQstatus(handle) != CONNECTION_OK { close() }
    return try result.get()
  }

  // MARK: Statements

  private func send(
    _ sql: String, _ parameters: [Parameter], isSeveral: Bool, on handle: OpaquePointer
  ) throws(DatabaseError) {
    let sent: CInt
    if isSeveral {
      sent = PQsendQuery(handle, sql)
    } else {
      sent = withCStrings(parameters.map(\.text)) { values in
        PQsendQueryParams(handle, sql, CInt(values.count), nil, values, nil, nil, 0)
      }
    }
    guard sent == 1 else { throw lost(handle) }
    // Row by row, so that a result beyond the limit is never held as a whole.
    PQsetSingleRowMode(handle)
  }

  /// What it gives up it leaves with the connection: the server ends a statement whose client is gone, by ``settings``.
  private func receive(on handle: OpaquePointer, cancelledBy ticket: UInt64?) throws(DatabaseError) -> Rows {
    let deadline = ContinuousClock.now + limits.statement
    var rows = Rows()
    var failure: DatabaseError?
    while true {
      try wait(on: handle, until: deadline, ticket)
      guard let result = PQgetResult(handle) else { break }
      defer { PQclear(result) }
      switch PQresultStatus(result) {
      case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
        guard rows.append(result, limit: limits.resultBytes) else {
          close()
          throw DatabaseError(
            .tooLarge, "The result is larger than \(limits.resultBytes) bytes: ask for fewer rows, by LIMIT.")
        }
      case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: rows.finish(result)
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        close()
        throw DatabaseError(.invalidParameter, "COPY is not supported: insert rows by INSERT.")
      default:
        if failure == nil { failure = refusal(result, on: handle) }
      }
    }
    if let failure { throw failure }
    return rows
  }

  /// Returns when the next result can be had without waiting.
  private func wait(
    on handle: OpaquePointer, until deadline: ContinuousClock.Instant, _ ticket: UInt64?
  ) throws(DatabaseError) {
    while true {
      let isFlushed = PQflush(handle)
      guard isFlushed >= 0 else { throw lost(handle) }
      if isFlushed == 0, PQisBusy(handle) == 0 { return }
      let failure: DatabaseError
      switch wakeUp.wait(for: PQsocket(handle), writing: isFlushed == 1, until: deadline, ticket) {
      case .ready:
        guard PQconsumeInput(handle) == 1 else { throw lost(handle) }
        continue
      case .interrupted: failure = .ended
      case .cancelled: failure = .cancelled
      case .timedOut: failure = DatabaseError(.timedOut, "The statement took longer than \(limits.statement).")
      }
      close()
      throw failure
    }
  }

  // MARK: Connecting

  /// Tries again while it may help, until `patience` is over.
  private func open(patience: Duration) throws(DatabaseError) {
    let deadline = ContinuousClock.now + patience
    while true {
      do throws(DatabaseError) { return try openOnce() } catch {
        let mayPass = error.code == .unavailable || error.sqlState?.isPassing == true
        guard mayPass, ContinuousClock.now < deadline else { throw error }
        // Nobody tells when it is back.
        if case .interrupted = wakeUp.wait(for: -1, writing: false, until: .now + .milliseconds(200), nil) {
          throw .ended
        }
      }
    }
  }

  private func openOnce() throws(DatabaseError) {
    let parameters = url.parameters
    let new = withCStrings(parameters.map(\.name)) { names in
      withCStrings(parameters.map(\.value)) { values in
        // The end of both is a NULL.
        PQconnectStartParams(names + [nil], values + [nil], 1)
      }
    }
    guard let new else { throw DatabaseError(.unavailable, "There is no memory for a connection.") }
    do throws(DatabaseError) {
      try connect(new, until: .now + limits.connect)
      PQsetNoticeProcessor(new, { _, _ in }, nil)
      guard PQsetnonblocking(new, 1) == 0 else { throw lost(new) }
      guard PQsendQuery(new, Self.settings) == 1 else { throw lost(new) }
      _ = try receive(on: new, cancelledBy: nil)
      handle = new
    } catch {
      PQfinish(new)
      throw error
    }
  }

  /// So that every value has one text, wherever the program runs; and so that the server looks after its client each second
  /// while it runs a statement, which it can from version 14 on.
  private static let settings = """
    SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'UTC'; SET extra_float_digits = 1;
    SET bytea_output = 'hex';
    DO $$ BEGIN
      PERFORM set_config('client_connection_check_interval', '1s', false);
    EXCEPTION WHEN OTHERS THEN
    END $$
    """

  private func connect(_ new: OpaquePointer, until deadline: ContinuousClock.Instant) throws(DatabaseError) {
    // Not PQconnectdb, whose limit is one for each address. A name is looked up here, though, which may take as long as it does.
    var isWriting = true
    while PQstatus(new) != CONNECTION_BAD {
      switch wakeUp.wait(for: PQsocket(new), writing: isWriting, until: deadline, nil) {
      case .ready, .cancelled: break
      case .interrupted: throw .ended
      case .timedOut:
        throw DatabaseError(.unavailable, "The database did not finish the log-in within \(limits.connect).")
      }
      switch PQconnectPoll(new) {
      case PGRES_POLLING_OK: return
      case PGRES_POLLING_WRITING: isWriting = true
      case PGRES_POLLING_READING: isWriting = false
      default: throw unreachable(new)
      }
    }
    throw unreachable(new)
  }

  /// Whether it can still be used. What a server says unasked, to who does not listen for notifications, is most often that it ends
  /// the connection; for anything else a new one does no harm.
  private func isAlive(_ handle: OpaquePointer) -> Bool {
    if case .ready = wakeUp.wait(for: PQsocket(handle), writing: false, until: .now, nil) { return false }
    return PQstatus(handle) == CONNECTION_OK
  }

  // MARK: Errors

  private func unreachable(_ handle: OpaquePointer) -> DatabaseError {
    let words = sentence(PQerrorMessage(handle), otherwise: "no reason is given")
    let isPassing = ["starting up", "shutting down", "too many"].contains { words.contains($0) }
    let isRefused = words.contains("FATAL") && !isPassing || PQconnectionNeedsPassword(handle) == 1
    return DatabaseError(isRefused ? .refused : .unavailable, "The database can't be reached: \(words)")
  }

  private func lost(_ handle: OpaquePointer) -> DatabaseError {
    let words = sentence(PQerrorMessage(handle), otherwise: "no reason is given")
    return DatabaseError(.unavailable, "The connection to the database was lost: \(words)")
  }

  private func refusal(_ result: OpaquePointer, on handle: OpaquePointer) -> DatabaseError {
    // Characters, which Swift does not import as such: PG_DIAG_SQLSTATE and so on.
    func field(_ code: Unicode.Scalar) -> String? {
      PQresultErrorField(result, CInt(code.value)).map { String(cString: $0) }
    }
    // Without a code it is libpq that speaks, of a connection that broke.
    guard let state = field("C").map({ SQLState($0) }) else { return lost(handle) }
    var error = DatabaseError(
      state.isPassing ? .unavailable : .refused, "The database refused: \(field("M") ?? "no reason is given")")
    error.sqlState = state
    error.detail = field("D")
    error.constraint = field("n")
    error.table = field("t")
    error.column = field("c")
    return error
  }

  private func sentence(_ words: UnsafePointer<CChar>?, otherwise: String) -> String {
    let lines = words.map { String(cString: $0).split(whereSeparator: \.isNewline) } ?? []
    return lines.isEmpty ? otherwise : lines.map { $0.drop { $0.isWhitespace } }.joined(separator: "; ")
  }
}

/// Calls `body` with C strings, which live as long as it runs. Nil is NULL.
private func withCStrings<Result>(_ strings: [String?], _ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
  let copies = strings.map { string in
    string.map { string in
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.utf8.count + 1)
      var end = copy
      for byte in string.utf8 {
        end.initialize(to: CChar(bitPattern: byte))
        end += 1
      }
      end.initialize(to: 0)
      return copy
    }
  }
  defer { for copy in copies { copy?.deallocate() } }
  return body(copies.map { $0.map { UnsafePointer($0) } })
}
