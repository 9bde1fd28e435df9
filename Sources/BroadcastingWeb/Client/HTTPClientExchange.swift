//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// What goes out on one connection of a client, and what comes back for it. It belongs to its ``HTTPClientConnection``,
/// and the stream calls it directly.
///
/// It reads all the time, between two requests too: so the end of a connection that nobody uses is noticed, and not only
/// by the next request, which would fail then without a need.
final class HTTPClientExchange: StreamDelegate, DeadlineTarget {
  enum Outcome {
    case response(HTTPResponse)
    case failure(HTTPExchangeFailure)
  }

  private enum Phase {
    /// Nothing is under way.
    case idle
    /// A request was written, in whole or in part.
    case waiting(method: HTTPMethod, mayUpgrade: Bool)
    /// A 101 came. What follows is no HTTP.
    case upgraded
    case closed
  }

  private let stream: any ByteStream
  private let parser: HTTPResponseParser
  private let limits: HTTPLimits
  private let idleTime: Duration
  private lazy var place = stream.loop.deadlines.add(self)
  private var phase = Phase.idle
  private var outcome: Outcome?
  /// What came behind a 101.
  private var unread: [UInt8] = []
  private var sawEnd = false
  private var waiter: UnsafeContinuation<Void, Never>?
  /// Exchanges are numbered, since a cancellation may come when the next one is under way.
  private var number = 0

  /// Whether no byte has come so far.
  private(set) var broughtNothing = true

  init(_ stream: any ByteStream, limits: HTTPLimits, idleTime: Duration) {
    self.stream = stream
    self.idleTime = idleTime
    self.limits = limits
    parser = HTTPResponseParser(limits: limits)
    stream.delegate = self
    setDeadline(stream.loop.now + idleTime)
    stream.startReading()
  }

  /// Whether a request can be sent.
  var isIdle: Bool {
    guard case .idle = phase else { return false }
    return stream.isWritable
  }

  // MARK: For the connection

  /// Writes a request. Its number, or nil where nothing could be written.
  func begin(_ bytes: [UInt8], method: HTTPMethod, mayUpgrade: Bool, deadline: LoopInstant) -> Int? {
    guard isIdle else { return nil }
    number += 1
    phase = .waiting(method: method, mayUpgrade: mayUpgrade)
    setDeadline(deadline)
    stream.write(bytes)
    return number
  }

  /// The outcome of the request that was begun.
  func wait() async -> Outcome {
    while true {
      if let outcome = outcome.take() { return outcome }
      await withUnsafeContinuation { continuation in
        // It may have come while a task that does not prefer the loop was on its way here.
        if outcome == nil { waiter = continuation } else { continuation.resume() }
      }
    }
  }

  func cancel(_ number: Int) {
    if number == self.number { fail(NetworkError(.cancelled, "The task was cancelled before the answer came.")) }
  }

  /// Closes at once.
  func close() {
    fail(NetworkError(.closed, "The connection was closed before the answer came."))
    stream.close()
  }

  /// Gives the stream away behind a 101, what came behind that, and whether that was all. Nil if it has closed.
  func handOver() -> (stream: any ByteStream, unread: [UInt8], sawEnd: Bool)? {
    guard case .upgraded = phase else { return nil }
    stream.loop.deadlines.remove(place)
    stream.delegate = nil
    phase = .closed
    return (stream, unread, sawEnd)
  }

  // MARK: For the stream

  func received(_ bytes: UnsafeRawBufferPointer) {
    broughtNothing = false
    switch phase {
    case .waiting(let method, let mayUpgrade): read(bytes, method, mayUpgrade)
    case .upgraded: unread.append(contentsOf: bytes)
    // An answer to nothing, such as the 408 of a server that does not want to wait any longer.
    case .idle: stream.close()
    case .closed: break
    }
  }

  func drained() {}

  func ended(_ error: NetworkError?) {
    switch phase {
    case .waiting:
      if let error { return fail(error) }
      switch parser.end() {
      case .response(let response, _):
        finish(response)
        stream.close()
      // A half answer says nothing of who gave it: a server that is killed leaves one, and so does a proxy.
      case .failed:
        fail(NetworkError(.closed, "The server closed the connection in the middle of its answer."))
      case .needsMore, nil:
        fail(NetworkError(.closed, "The server closed the connection before it answered."))
      }
    case .upgraded:
      sawEnd = true
      if error != nil { stream.close() }
    case .idle, .closed:
      stream.close()
    }
  }

  func closed() {
    fail(NetworkError(.closed, "The connection was closed before the answer came."))
    if case .closed = phase { return }
    leave()
  }

  func deadlinePassed() {
    if case .waiting = phase {
      fail(NetworkError(.timedOut, "The server did not answer in time."))
    } else {
      stream.close()
    }
  }

  // MARK: Inside

  private func read(_ bytes: UnsafeRawBufferPointer, _ method: HTTPMethod, _ mayUpgrade: Bool) {
    var rest = bytes
    while true {
      let (consumed, event) = parser.read(rest, answering: method)
      rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
      switch event {
      case .needsMore: return
      case .failed(let error): return fail(tooLarge(error) ?? error)
      case .response(let response, _) where response.status == .switchingProtocols:
        guard mayUpgrade else {
          return fail(HTTPError(.malformed, "The server switches protocols, which it was not asked to."))
        }
        stream.stopReading()
        unread.append(contentsOf: rest)
        finish(response)
        phase = .upgraded
        return
      case .response(let response, _) where response.status.code < 200:
        continue
      case .response(let response, let keepAlive):
        // An answer that came before the server had the whole body leaves the rest of it where the next request would be.
        let isReusable = keepAlive && rest.isEmpty && stream.pendingBytes == 0
        finish(response)
        if !isReusable { stream.close() }
        return
      }
    }
  }

  /// The parser speaks to whoever sent too much, and this end is not the one that did.
  private func tooLarge(_ error: HTTPError) -> HTTPError? {
    switch error.code {
    case .bodyTooLarge: HTTPError(error.code, "The answer's body is larger than \(limits.bodyBytes) bytes.")
    case .headersTooLarge:
      HTTPError(
        error.code,
        "The answer's header is larger than \(limits.headerBytes) bytes, or has more than \(limits.headerFields) fields."
      )
    default: nil
    }
  }

  private func finish(_ response: HTTPResponse) {
    phase = .idle
    setDeadline(stream.loop.now + idleTime)
    complete(.response(response))
  }

  private func fail(_ error: NetworkError) { fail(.network(error)) }
  private func fail(_ error: HTTPError) { fail(.http(error)) }

  private func fail(_ cause: HTTPExchangeFailure.Cause) {
    guard case .waiting = phase else { return }
    leave()
    // The server need not go on with a request whose answer nobody reads.
    stream.reset()
    complete(.failure(HTTPExchangeFailure(cause, wasWritten: true, broughtNothing: broughtNothing)))
  }

  private func leave() {
    phase = .closed
    stream.loop.deadlines.remove(place)
  }

  private func complete(_ outcome: Outcome) {
    self.outcome = outcome
    waiter.take()?.resume()
  }

  private func setDeadline(_ due: LoopInstant) { stream.loop.deadlines.set(place, to: due) }
}
