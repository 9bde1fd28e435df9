//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import BroadcastingNetwork

/// A connection inside TLS: a ``ByteStream`` of plaintext over one of ciphertext.
///
/// It keeps the contract of every stream, with these meanings. The end of what comes is the peer's close_notify; a
/// connection that ends without one is an error, since the last of it may have been cut off (RFC 8446, section 6.1).
/// ``finish()`` says close_notify and then ends the connection's side. ``pendingBytes`` and ``bytesTaken`` count
/// ciphertext, some 22 bytes more for each record of at most 16 KiB.
///
/// While nobody reads it holds at most what the loop reads at a time, 64 KiB, as it came.
package final class TLSStream: ByteStream, StreamDelegate {
  /// Bytes of answers to the peer's wishes, such as new keys, that may wait for it to read them. One that only asks
  /// and never takes would make them grow without end.
  private static let answersLimit = 16_384
  private static let writeSize = 4 * TLSSession.recordSize

  package var delegate: (any StreamDelegate)?
  private let lower: any ByteStream
  private let session: TLSSession

  private var whenSecure: ((NetworkError?) -> Void)?
  private var isSecure = false
  private var isReading = false
  private var isDelivering = false
  private var willDeliver = false
  private var sawEnd = false
  private var isFinished = false
  private var isClosed = false
  private var failure: NetworkError?
  /// A failure that came when there was no delegate yet. It is told when one starts to read.
  private var untold: NetworkError?
  /// The owner was told to wait for `drained()`.
  private var ownerWaits = false
  private var waitingAnswers = 0

  /// Takes `lower` over, which nobody may be reading.
  init(_ session: TLSSession, over lower: any ByteStream) {
    self.session = session
    self.lower = lower
    lower.delegate = self
  }

  package var loop: EventLoop { lower.loop }
  package var peerAddress: SocketAddress? { lower.peerAddress }
  package var localAddress: SocketAddress? { lower.localAddress }

  /// What both sides agreed on by ALPN, if anything.
  package var negotiatedProtocol: String? { session.negotiatedProtocol }

  /// As in `TLSv1.3`.
  package var version: String { session.version }

  // MARK: The handshake

  /// Starts the handshake, and calls `completion` once when it is done, has failed or the stream was closed: at once or
  /// later. After that the stream does not read.
  func shakeHands(_ completion: @escaping (NetworkError?) -> Void) {
    whenSecure = completion
    goOn()
    if whenSecure != nil { lower.startReading() }
  }

  private func goOn() {
    do throws(NetworkError) {
      isSecure = try session.handshake()
      flush()
      if isSecure { becomeSecure(nil) }
    } catch {
      // The alert that says why.
      flush()
      becomeSecure(error)
    }
  }

  private func becomeSecure(_ error: NetworkError?) {
    lower.stopReading()
    whenSecure.take()?(error)
  }

  // MARK: Reading

  package func startReading() {
    if untold != nil { deliverLater() }
    if isReading || isClosed || sawEnd || failure != nil { return }
    isReading = true
    // What is there comes first, and not from within this call.
    if session.hasInput { deliverLater() } else { lower.startReading() }
  }

  package func stopReading() {
    if !isReading { return }
    isReading = false
    lower.stopReading()
  }

  private func deliverLater() {
    if willDeliver || isDelivering { return }
    willDeliver = true
    loop.atTurnEnd { [self] in
      willDeliver = false
      if let error = untold.take() { tell(error) } else { deliver() }
    }
  }

  /// Decrypts and hands over, as long as the owner reads.
  private func deliver() {
    isDelivering = true
    withUnsafeTemporaryAllocation(byteCount: TLSSession.recordSize, alignment: 16) { buffer in
      while isReading, !isClosed, failure == nil {
        do throws(NetworkError) {
          switch try session.read(into: buffer) {
          case .bytes(let count): delegate?.received(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
          case .needsInput: return
          case .ended: end()
          }
        } catch {
          flush()
          fail(error)
        }
      }
    }
    isDelivering = false
    answer()
    // It may have been stopped meanwhile, and started again.
    if isReading { lower.startReading() }
  }

  /// Sends what reading gave rise to.
  private func answer() {
    let bytes = session.output.reduce(0) { $0 + $1.count }
    if bytes == 0 || flush() { return }
    waitingAnswers += bytes
    if waitingAnswers > Self.answersLimit {
      fail(NetworkError(.tlsFailed, "\(session.peer) asks for answers of TLS, and does not take them"))
    }
  }

  /// What comes after the peer's close_notify is nobody's.
  private func end() {
    stopReading()
    sawEnd = true
    delegate?.ended(nil)
  }

  private func fail(_ error: NetworkError) {
    if failure != nil || isClosed { return }
    stopReading()
    failure = error
    tell(error)
  }

  private func tell(_ error: NetworkError) {
    if isClosed { return }
    if let delegate { delegate.ended(error) } else { untold = error }
  }

  // MARK: Writing

  package var isWritable: Bool { isSecure && !isFinished && !isClosed && failure == nil && lower.isWritable }
  package var pendingBytes: Int { lower.pendingBytes }
  package var bytesTaken: UInt64 { lower.bytesTaken }

  @discardableResult
  package func write(_ bytes: [UInt8]) -> Bool {
    guard isWritable, !bytes.isEmpty else { return true }
    return send(bytes)
  }

  @discardableResult
  package func write(_ segments: ArraySlice<[UInt8]>) -> Bool {
    guard isWritable else { return true }
    // Small ones share a record, which costs 22 bytes and a round of encryption; large ones need no copy.
    var gathered: [UInt8] = []
    var went = true
    for segment in segments {
      if gathered.count + segment.count > TLSSession.recordSize, !gathered.isEmpty {
        went = send(gathered)
        gathered.removeAll(keepingCapacity: true)
      }
      if segment.count >= TLSSession.recordSize { went = send(segment) } else { gathered += segment }
    }
    return gathered.isEmpty ? went : send(gathered)
  }

  /// Encrypts and hands over a few records at a time, while they are in the processor's cache.
  private func send(_ bytes: [UInt8]) -> Bool {
    var went = true
    do throws(NetworkError) {
      try bytes.withUnsafeBufferPointer { (bytes) throws(NetworkError) in
        var rest = UnsafeRawBufferPointer(bytes)[...]
        while !rest.isEmpty, isWritable {
          let part = rest.prefix(Self.writeSize)
          rest = rest.dropFirst(part.count)
          try session.write(UnsafeRawBufferPointer(rebasing: part))
          went = flush()
        }
      }
    } catch {
      // Told at the end of the turn, never inside a call of the owner's.
      loop.atTurnEnd { [self] in fail(error) }
      return true
    }
    if !went { ownerWaits = true }
    return went
  }

  /// Hands the records over to the connection. True if there is nothing to wait for.
  @discardableResult
  private func flush() -> Bool {
    let output = session.output
    if output.isEmpty { return true }
    session.clearOutput()
    return output.count == 1 ? lower.write(output[0]) : lower.write(output[...])
  }

  // MARK: The end

  package func finish() {
    guard isWritable else { return }
    isFinished = true
    session.shutDown()
    flush()
    lower.finish()
  }

  /// Also says close_notify where that can go at once.
  package func close() {
    if isClosed { return }
    if isWritable, lower.pendingBytes == 0 {
      session.shutDown()
      flush()
    }
    leave { lower.close() }
  }

  package func reset() {
    if !isClosed { leave { lower.reset() } }
  }

  private func leave(_ close: () -> Void) {
    isClosed = true
    isReading = false
    close()
  }

  // MARK: What the connection says

  package func received(_ bytes: UnsafeRawBufferPointer) {
    session.lend(bytes) { if whenSecure != nil { goOn() } else { deliver() } }
  }

  package func drained() {
    waitingAnswers = 0
    if !ownerWaits { return }
    ownerWaits = false
    delegate?.drained()
  }

  package func ended(_ error: NetworkError?) {
    if whenSecure != nil {
      becomeSecure(.endedInHandshake(peer: session.peer, error))
    } else if let error {
      fail(error)
    } else if !sawEnd {
      fail(.cut(peer: session.peer))
    }
  }

  package func closed() {
    isClosed = true
    whenSecure.take()?(.loopEnded("TLS handshake with \(session.peer)"))
    // Before the call, so that the delegate may be the last to hold the stream.
    let last = delegate.take()
    last?.closed()
  }
}
