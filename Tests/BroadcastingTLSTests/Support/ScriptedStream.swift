//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// A connection without a socket, whose peer takes what the test says.
final class ScriptedStream: ByteStream {
  let loop: EventLoop
  var delegate: (any StreamDelegate)?
  var takesAll = true
  private(set) var pendingBytes = 0
  private(set) var written: [UInt8] = []
  private(set) var isReading = false
  private(set) var isClosed = false

  init(on loop: EventLoop) { self.loop = loop }

  var isWritable: Bool { !isClosed }
  var bytesTaken: UInt64 { UInt64(written.count - pendingBytes) }
  var peerAddress: SocketAddress? { nil }
  var localAddress: SocketAddress? { nil }

  func startReading() { isReading = true }
  func stopReading() { isReading = false }

  func write(_ bytes: [UInt8]) -> Bool {
    written += bytes
    if takesAll { return true }
    pendingBytes += bytes.count
    return false
  }

  func write(_ segments: ArraySlice<[UInt8]>) -> Bool { write(Array(segments.joined())) }

  func finish() {}
  func close() { isClosed = true }
  func reset() { isClosed = true }

  // MARK: What the peer does

  func takeWritten() -> [UInt8] {
    defer { written = [] }
    return written
  }

  func drain() {
    pendingBytes = 0
    delegate?.drained()
  }

  func receive(_ bytes: [UInt8]) { bytes.withUnsafeBytes { delegate?.received($0) } }
}
