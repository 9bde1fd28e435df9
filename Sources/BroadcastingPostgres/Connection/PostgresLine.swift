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
  let connection: OpaquePointer
  let loop: EventLoop
  private var handle: PollHandle?
  private var isClosed = false
  // While it is opened.
  var readiness: Readiness?
  var stage = LineFailure.Stage.connecting
  var isLate = false
  // While it serves.
  private var onInput: () -> Void = {}
  private var onFailure: (LineFailure) -> Void = { _ in }
  var isAsking = false
  var answer = LineAnswer.done
  /// What the server said last before it ended the session.
  fileprivate var farewell: ServerWords?

  init(_ parameters: [String: String], on loop: EventLoop) throws(LineFailure) {
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
  var isTextValid: Bool { serverEncoding.map { $0 != "SQL_ASCII" } ?? false }

  /// Whether text has as many bytes in the database as here.
  var keepsLengths: Bool { serverEncoding == "UTF8" }

  private var serverEncoding: String? { PQparameterStatus(connection, "server_encoding").map { String(cString: $0) } }

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

  var hasPendingInput: Bool {
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
  func takeAnswers() -> Bool {
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

  func failure() -> LineFailure {
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
