//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingWeb

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a stream brings, for a ``TestClient`` to wait for. It reads only while somebody waits.
private final class Inlet: StreamDelegate {
  let stream: SocketStream
  var bytes: [UInt8] = []
  var sawEnd = false
  var failure: NetworkError?
  private var waiter: UnsafeContinuation<Void, Never>?

  init(_ stream: SocketStream) {
    self.stream = stream
    stream.delegate = self
  }

  var isOver: Bool { sawEnd || stream.isClosed }

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

  func closed() { wake() }

  nonisolated(nonsending) func wait() async {
    if !stream.isClosed { await withUnsafeContinuation { waiter = $0 } }
  }

  nonisolated(nonsending) func read() async {
    stream.startReading()
    await wait()
  }

  private func wake() { waiter.take()?.resume() }
}

/// A client that does what it is told, also what no good client does. It reads nothing unless asked to.
actor TestClient {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let inlet: Inlet
  private let responses = HTTPResponseParser()
  private var frames = WebSocketFrameDecoder(.client)

  /// - Parameter receiveBuffer: of the kernel, where little is to be enough to fill it.
  init(_ stream: sending SocketStream, receiveBuffer: Int32?) {
    loop = stream.loop
    if let receiveBuffer { _ = SocketOptions.set(stream.descriptor, SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
    inlet = Inlet(stream)
  }

  // MARK: Sending

  /// Returns when the kernel has it all, or the connection is over.
  func send(_ bytes: [UInt8]) async {
    if inlet.stream.write(bytes) { return }
    while inlet.stream.pendingBytes > 0, !inlet.isOver { await inlet.wait() }
  }

  func send(_ text: String) async { await send(Array(text.utf8)) }

  /// Sends without waiting.
  func push(_ bytes: [UInt8]) { inlet.stream.write(bytes) }

  /// Bytes that the server has not taken.
  var unsent: Int { inlet.stream.pendingBytes }

  func get(_ target: String, _ fields: String = "") async {
    await send("GET \(target) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
  }

  static let upgradeFields =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

  static func upgradeRequest(_ target: String = "/socket") -> [UInt8] {
    Array("GET \(target) HTTP/1.1\r\nHost: x\r\n\(upgradeFields)\r\n".utf8)
  }

  /// Sends an upgrade, and frames in the same packet; true if the answer is a 101.
  func upgrade(_ frames: [UInt8] = []) async -> Bool {
    await send(Self.upgradeRequest() + frames)
    return await response()?.status == .switchingProtocols
  }

  // MARK: Receiving

  /// The next response; nil when the connection ends before it is whole.
  func response(to method: HTTPMethod = .get) async -> HTTPResponse? {
    while true {
      let (consumed, event) = inlet.bytes.withUnsafeBytes { responses.read($0, answering: method) }
      inlet.bytes.removeFirst(consumed)
      switch event {
      case .response(let response, _): return response
      case .failed(let error):
        Issue.record(error)
        return nil
      case .needsMore:
        if inlet.isOver { return nil }
        await inlet.read()
      }
    }
  }

  /// The body of the next response, as text.
  func text() async -> String? { await response().map { String(decoding: $0.body, as: UTF8.self) } }

  /// The next frame, messages whole; nil when the connection ends before.
  func frame() async -> WebSocketFrameDecoder.Event? {
    while true {
      let (consumed, event) = inlet.bytes.withUnsafeBytes { frames.read($0) }
      inlet.bytes.removeFirst(consumed)
      if let event { return event }
      if inlet.isOver { return nil }
      await inlet.read()
    }
  }

  /// The code of the next frame, which has to be a close.
  func closeCode() async -> WebSocketCloseCode? {
    let frame = await frame()
    if case .close(let code, _) = frame { return code }
    Issue.record("\(String(describing: frame)) is not a close frame")
    return nil
  }

  /// All that comes until the server ends the connection.
  func rest() async -> [UInt8] {
    while !inlet.isOver { await inlet.read() }
    defer { inlet.bytes = [] }
    return inlet.bytes
  }

  /// Reads at least `count` bytes and forgets them. How many came.
  func skip(_ count: Int) async -> Int {
    while inlet.bytes.count < count, !inlet.isOver { await inlet.read() }
    defer { inlet.bytes = [] }
    return inlet.bytes.count
  }

  /// Reads on until the server ends the connection. False if that was by a reset, as far as libuv tells: behind the
  /// last bytes it takes a reset for an end.
  func endsInOrder() async -> Bool {
    _ = await rest()
    return inlet.sawEnd && inlet.failure == nil
  }

  // MARK: The end

  func finish() { inlet.stream.finish() }
  func reset() { inlet.stream.reset() }
  func close() { inlet.stream.close() }
}

/// A client's close frame with a code.
func closeFrame(_ code: UInt16) -> [UInt8] { clientFrame(8, [UInt8(code >> 8), UInt8(code & 0xFF)]) }
