//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// What came on a stream, for an actor of its loop to wait for.
final class Inlet: StreamDelegate {
  let stream: any ByteStream
  private(set) var bytes: [UInt8] = []
  private(set) var sawEnd = false
  private(set) var failure: NetworkError?
  private(set) var isClosed = false
  private(set) var drains = 0
  /// Bytes that came while it had stopped reading: there must be none.
  private(set) var uncalledFor = 0
  private(set) var isReading = false
  /// A call of the stream's methods is under way, in which it must not call back.
  private var isCalling = false
  private(set) var callsFromWithin = 0
  private var waiter: UnsafeContinuation<Void, Never>?
  /// Stops reading after each call, as an owner does who has no room.
  var isHesitant = false
  var closesAtNextBytes = false
  /// Stops and starts again while it is handed something, so many times, and then only reads.
  var togglesLeft: Int?

  init(_ stream: any ByteStream) {
    self.stream = stream
    stream.delegate = self
  }

  func received(_ bytes: UnsafeRawBufferPointer) {
    if !isReading { uncalledFor += bytes.count }
    note()
    self.bytes.append(contentsOf: bytes)
    if closesAtNextBytes { call { stream.close() } }
    if let left = togglesLeft {
      togglesLeft = max(0, left - 1)
      if left > 0 {
        stopReading()
        startReading()
      }
    } else if isHesitant || waiter == nil {
      stopReading()
    }
    wake()
  }

  func drained() {
    note()
    drains += 1
    wake()
  }

  func ended(_ error: NetworkError?) {
    note()
    sawEnd = true
    failure = error
    wake()
  }

  func closed() {
    note()
    isClosed = true
    wake()
  }

  func startReading() {
    isReading = true
    call { stream.startReading() }
  }

  func stopReading() {
    isReading = false
    call { stream.stopReading() }
  }

  func call<Result>(_ body: () -> Result) -> Result {
    let before = isCalling
    isCalling = true
    defer { isCalling = before }
    return body()
  }

  func take(_ count: Int) -> [UInt8] {
    defer { bytes.removeFirst(min(count, bytes.count)) }
    return Array(bytes.prefix(count))
  }

  var isOver: Bool { sawEnd || isClosed }

  /// Returns when anything happens.
  nonisolated(nonsending) func wait() async {
    await withUnsafeContinuation { continuation in
      if isClosed { continuation.resume() } else { waiter = continuation }
    }
  }

  private func note() { if isCalling { callsFromWithin += 1 } }

  private func wake() { waiter.take()?.resume() }
}
