//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// What came on a stream, for an actor of its loop to wait for.
final class Inlet: StreamDelegate {
  let stream: SocketStream
  private(set) var bytes: [UInt8] = []
  private(set) var sawEnd = false
  private(set) var failure: NetworkError?
  private(set) var isClosed = false
  private var waiter: UnsafeContinuation<Void, Never>?

  init(_ stream: SocketStream) {
    self.stream = stream
    stream.delegate = self
  }

  func received(_ bytes: UnsafeRawBufferPointer) {
    self.bytes.append(contentsOf: bytes)
    if waiter == nil { stream.stopReading() } else { wake() }
  }

  func drained() { wake() }

  func ended(_ error: NetworkError?) {
    sawEnd = true
    failure = error
    wake()
  }

  func closed() {
    isClosed = true
    wake()
  }

  func take(_ count: Int) -> [UInt8] {
    defer { bytes.removeFirst(count) }
    return Array(bytes.prefix(count))
  }

  /// Returns when anything happens.
  nonisolated(nonsending) func wait() async { if !isClosed { await withUnsafeContinuation { waiter = $0 } } }

  private func wake() { waiter.take()?.resume() }
}

/// A connection as it is meant to be made: an actor of its loop, whose whole life is one method.
actor LineConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let inlet: Inlet

  init(_ stream: sending SocketStream, on loop: EventLoop) {
    self.loop = loop
    inlet = Inlet(stream)
  }

  var failure: NetworkError? { inlet.failure }
  var sawEnd: Bool { inlet.sawEnd }
  var pendingBytes: Int { inlet.stream.pendingBytes }
  var bytesTaken: UInt64 { inlet.stream.bytesTaken }
  var peer: SocketAddress? { inlet.stream.peerAddress }
  var local: SocketAddress? { inlet.stream.localAddress }

  /// Answers each line with itself until the peer has finished, the connection breaks or the task is cancelled.
  func echo() async {
    await withTaskCancellationHandler {
      while let line = await line() { await write(line + [10]) }
      close()
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.close() } }
    }
  }

  /// The next line without its end; nil at the end of the stream.
  func line() async -> [UInt8]? {
    while true {
      if let end = inlet.bytes.firstIndex(of: 10) { return Array(inlet.take(end + 1).dropLast()) }
      if inlet.sawEnd || inlet.isClosed { return nil }
      inlet.stream.startReading()
      await inlet.wait()
    }
  }

  /// All that comes until the peer has finished.
  func rest() async -> [UInt8] {
    inlet.stream.startReading()
    while !inlet.sawEnd, !inlet.isClosed {
      await inlet.wait()
      inlet.stream.startReading()
    }
    return inlet.bytes
  }

  /// Returns when the kernel has it all.
  func write(_ bytes: [UInt8]) async { if !inlet.stream.write(bytes) { await written() } }

  func written() async { while inlet.stream.pendingBytes > 0, !inlet.sawEnd, !inlet.isClosed { await inlet.wait() } }

  /// Writes without waiting.
  func push(_ segments: [[UInt8]]) -> Bool { inlet.stream.write(segments[...]) }

  func setOptions(sendBuffer: Int) {
    inlet.stream.setSendBuffer(sendBuffer)
    inlet.stream.setKeepAlive(after: .seconds(30))
    inlet.stream.setKeepAlive(after: nil)
  }

  func finish() { inlet.stream.finish() }
  func reset() { inlet.stream.reset() }
  func close() { inlet.stream.close() }
}
