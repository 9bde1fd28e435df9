//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@testable import BroadcastingNetwork

/// A connection without a socket: the test says what the peer takes and when a deadline has passed, so that no clock
/// decides. What is written waits until it is taken.
final class ScriptedStream: ByteStream {
  let loop: EventLoop
  var delegate: (any StreamDelegate)?
  private(set) var written: [UInt8] = []
  private(set) var pendingBytes = 0
  private(set) var bytesTaken: UInt64 = 0
  private(set) var isReading = false
  private(set) var isFinished = false
  private(set) var isClosed = false
  private(set) var wasReset = false

  init(on loop: EventLoop) { self.loop = loop }

  var isWritable: Bool { !isFinished && !isClosed }
  var peerAddress: SocketAddress? { nil }
  var localAddress: SocketAddress? { nil }

  func startReading() { isReading = true }
  func stopReading() { isReading = false }

  func write(_ bytes: [UInt8]) -> Bool {
    guard isWritable else { return true }
    written += bytes
    pendingBytes += bytes.count
    return false
  }

  func write(_ segments: ArraySlice<[UInt8]>) -> Bool { write(Array(segments.joined())) }

  func finish() { isFinished = true }

  func close() {
    if isClosed { return }
    isClosed = true
    pendingBytes = 0
    loop.inNextTurn { [self] in delegate.take()?.closed() }
  }

  func reset() {
    wasReset = true
    close()
  }

  // MARK: What the peer does

  /// Takes some of what waits, or all of it.
  func take(_ count: Int = .max) {
    let count = min(count, pendingBytes)
    pendingBytes -= count
    bytesTaken += UInt64(count)
    if count > 0, pendingBytes == 0 { delegate?.drained() }
  }

  func receive(_ bytes: [UInt8]) { bytes.withUnsafeBytes { delegate?.received($0) } }
}

/// Runs a test's script on a loop.
actor Stage {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  init(_ loop: EventLoop) { self.loop = loop }

  func play(_ script: @Sendable (ScriptedStream) -> Void) { script(ScriptedStream(on: loop)) }
}
