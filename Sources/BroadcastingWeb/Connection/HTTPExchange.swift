//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// What comes in on one connection, turned into requests, and what goes out as responses. It belongs to its
/// ``HTTPConnection``, and the stream calls it directly.
///
/// It reads while somebody waits for a request, and stops when more comes than the one that is being answered: so at
/// most two reads of the loop's buffer wait in `unread`.
final class HTTPExchange: StreamDelegate, DeadlineTarget {
  enum Incoming {
    case request(HTTPRequest, keepAlive: Bool)
    case failed(HTTPError)
  }

  private enum Phase {
    /// Nothing has come since the last response.
    case idle
    /// A request has begun.
    case receiving
    /// A request is complete; it is being answered, or nobody has taken it yet.
    case answering
    /// The last response has gone out. The peer has time to read it.
    case lingering
    case closed
  }

  /// How long a closing connection waits for the peer to close too. Without that, what the peer still sends would be
  /// answered by a reset, which can destroy the response on its way (RFC 9112 section 9.6).
  private static let lingerTime = Duration.seconds(2)

  /// How long the last response may take when the server stops, however steadily the peer reads.
  private static let stopTime = Duration.seconds(6)

  private static let goOn = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

  private let stream: any ByteStream
  private let parser: HTTPRequestParser
  private let timeouts: HTTPTimeouts
  private lazy var place = stream.loop.deadlines.add(self)
  private var phase = Phase.idle
  /// What came behind the request that is being answered, and how much of that has been dealt with since.
  private var unread: [UInt8] = []
  private var unreadStart = 0
  private var ready: Incoming?
  private var sawEnd = false
  private var isSending = false
  private var isStopping = false
  private var bytesTaken: UInt64 = 0
  private var waiter: UnsafeContinuation<Void, Never>?

  /// When it began to wait for a request, or for the rest of one.
  private(set) var waitingSince: LoopInstant

  /// Whether there has been a whole request.
  private(set) var hasBeenUsed = false

  init(_ stream: any ByteStream, limits: HTTPLimits, timeouts: HTTPTimeouts) {
    self.stream = stream
    self.timeouts = timeouts
    parser = HTTPRequestParser(limits: limits)
    waitingSince = stream.loop.now
    // From the start, for it may be dropped before anybody asks for a request.
    stream.delegate = self
    setDeadline(after: timeouts.idle)
  }

  var peerAddress: SocketAddress? { stream.peerAddress }

  /// Whether it is closed without harm to a request: none has come completely.
  var isWaiting: Bool {
    switch phase {
    case .idle, .receiving: true
    default: false
    }
  }

  // MARK: For the connection

  /// The next request. Nil when there will be none: the peer or the server has ended the connection.
  func next() async -> Incoming? {
    if phase == .answering { beginWaiting() }
    while ready == nil {
      if sawEnd || isStopping || phase == .closed { return nil }
      stream.startReading()
      await withUnsafeContinuation { waiter = $0 }
    }
    return ready.take()
  }

  /// Sends a response, and waits until the kernel has taken it. False when it could not.
  func send(_ bytes: [UInt8]) async -> Bool {
    if !stream.write(bytes) {
      isSending = true
      bytesTaken = stream.bytesTaken
      setDeadline(after: isStopping ? min(timeouts.write, Self.stopTime) : timeouts.write)
      await withUnsafeContinuation { waiter = $0 }
      isSending = false
      if phase != .closed { stream.loop.deadlines.clear(place) }
    }
    return phase != .closed && stream.isWritable
  }

  /// Ends the connection so that the peer can still read what was sent last.
  func finish() async {
    if phase == .closed { return }
    if sawEnd || !stream.isWritable {
      // Closing sends what the kernel holds; only unread bytes would turn that into a reset.
      stream.close()
      return
    }
    phase = .lingering
    stream.finish()
    stream.startReading()
    setDeadline(after: Self.lingerTime)
    await withUnsafeContinuation { waiter = $0 }
  }

  /// Gives the stream away, what came behind the last request, and whether that was all. Nil if it has closed.
  func handOver() -> (stream: any ByteStream, unread: [UInt8], sawEnd: Bool)? {
    if phase == .closed { return nil }
    stream.loop.deadlines.remove(place)
    stream.delegate = nil
    phase = .closed
    return (stream, Array(unread[unreadStart...]), sawEnd)
  }

  /// The server ends: what is under way is answered, what has only begun is not.
  func stop() {
    isStopping = true
    if isWaiting {
      stream.close()
    } else if isSending, phase != .closed {
      setDeadline(after: min(timeouts.write, Self.stopTime))
    }
  }

  /// Makes room for others.
  func drop() { stream.reset() }

  // MARK: For the stream

  func received(_ bytes: UnsafeRawBufferPointer) {
    switch phase {
    case .idle, .receiving:
      let consumed = read(bytes)
      if consumed < bytes.count { unread.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[consumed...])) }
    case .answering:
      unread.append(contentsOf: bytes)
      stream.stopReading()
    case .lingering, .closed:
      break
    }
  }

  func drained() {
    if isSending { wake() }
  }

  func ended(_ error: NetworkError?) {
    sawEnd = true
    if error != nil || phase == .lingering {
      stream.close()
    } else if !isSending {
      wake()
    }
  }

  func closed() {
    if phase != .closed { stream.loop.deadlines.remove(place) }
    phase = .closed
    wake()
  }

  func deadlinePassed() {
    switch phase {
    case .idle, .lingering:
      stream.close()
    case .receiving:
      become(ready: .failed(HTTPError(.timedOut, "The request was not complete within \(timeouts.request).")))
    case .answering where !isStopping && stream.bytesTaken > bytesTaken:
      bytesTaken = stream.bytesTaken
      setDeadline(after: timeouts.write)
    case .answering:
      stream.reset()
    case .closed:
      break
    }
  }

  // MARK: Inside

  private func beginWaiting() {
    phase = .idle
    waitingSince = stream.loop.now
    setDeadline(after: timeouts.idle)
    if unread.isEmpty { return }
    unreadStart += unread.withUnsafeBytes { read(UnsafeRawBufferPointer(rebasing: $0[unreadStart...])) }
    if unreadStart == unread.count {
      unread = []
      unreadStart = 0
    }
  }

  /// Takes bytes as far as the next request, and tells how many those were.
  private func read(_ bytes: UnsafeRawBufferPointer) -> Int {
    var total = 0
    while true {
      let (consumed, event) = parser.read(UnsafeRawBufferPointer(rebasing: bytes[total...]))
      total += consumed
      switch event {
      case .needsMore:
        // An empty line between two requests is not the beginning of one (RFC 9112 section 2.2).
        if phase == .idle, !parser.isIdle {
          phase = .receiving
          waitingSince = stream.loop.now
          setDeadline(after: timeouts.request)
        }
        return total
      case .expectsContinue:
        if total == bytes.count { stream.write(Self.goOn) }
      case .request(let request, let keepAlive):
        hasBeenUsed = true
        become(ready: .request(request, keepAlive: keepAlive))
        return total
      case .failed(let error):
        become(ready: .failed(error))
        return total
      }
    }
  }

  private func become(ready incoming: Incoming) {
    phase = .answering
    stream.loop.deadlines.clear(place)
    ready = incoming
    wake()
  }

  private func setDeadline(after duration: Duration) {
    stream.loop.deadlines.set(place, to: stream.loop.now + duration)
  }

  private func wake() { waiter.take()?.resume() }
}
