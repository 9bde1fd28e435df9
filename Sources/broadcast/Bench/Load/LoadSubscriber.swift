//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingWeb

/// One WebSocket that subscribes. The stream calls it directly, and it gives each payload to the test where it lies: no
/// task and no copy for a message.
final class LoadSubscriber: StreamDelegate {
  private enum State {
    case opening(HTTPResponseParser, WebSocketClientHandshake)
    case open
    case closed
  }

  private let index: Int
  private let test: LoadTest
  private let stream: any ByteStream
  private var state: State
  private var decoder: WebSocketFrameDecoder
  /// The decoder may have a part of a frame, or of a message: what follows is for it alone.
  private var isInsideMessage = false
  private var opening: UnsafeContinuation<Failure?, Never>?
  private var failure: Failure?

  init(_ index: Int, _ test: LoadTest, on stream: any ByteStream, handshake: WebSocketClientHandshake) {
    self.index = index
    self.test = test
    self.stream = stream
    state = .opening(HTTPResponseParser(), handshake)
    let limit = max(1 << 16, test.messageBytes)
    decoder = WebSocketFrameDecoder(.client, limits: WebSocketLimits(messageBytes: limit))
  }

  /// Asks for the WebSocket, and waits for the answer.
  func open() async throws(Failure) {
    guard case .opening(_, let handshake) = state else { return }
    var bytes: [UInt8] = []
    do throws(HTTPError) {
      try HTTPSerializer.append(handshake.request, to: &bytes)
    } catch {
      stream.close()
      throw Failure(error.message, .misuse)
    }
    stream.delegate = self
    stream.write(bytes)
    stream.startReading()
    if let failure = await withUnsafeContinuation({ opening = $0 }) { throw failure }
  }

  /// Says goodbye and closes.
  func close() {
    if case .open = state { stream.write(frame(.close, WebSocketFrame.closePayload(.normal, ""))) }
    end()
  }

  private func end() {
    state = .closed
    stream.close()
  }

  // MARK: What the stream tells

  func received(_ bytes: UnsafeRawBufferPointer) {
    switch state {
    case .open: readFrames(bytes)
    case .opening(let parser, let handshake): readAnswer(bytes, parser, handshake)
    case .closed: return
    }
  }

  func drained() {}

  func ended(_ error: NetworkError?) {
    switch state {
    case .opening:
      fail(
        error.map { Failure($0) } ?? Failure("the server closed a WebSocket before its answer", .receivingFailed))
    case .open: cut(error?.message ?? "the connection was ended without a close frame")
    case .closed: return
    }
  }

  func closed() {
    state = .closed
    let failure = failure ?? Failure("the connection was closed before the answer", .receivingFailed)
    opening.take()?.resume(returning: failure)
  }

  // MARK: Opening

  private func readAnswer(
    _ bytes: UnsafeRawBufferPointer, _ parser: HTTPResponseParser, _ handshake: WebSocketClientHandshake
  ) {
    let (consumed, event) = parser.read(bytes)
    switch event {
    case .needsMore: return
    case .failed(let error): fail(Failure("the answer to GET /events: \(error.message)", .receivingFailed))
    case .response(let response, _):
      guard response.status == .switchingProtocols else {
        return fail(Failure(answer: response, to: "GET \(handshake.request.path)"))
      }
      do throws(HTTPError) {
        try handshake.check(response)
      } catch {
        return fail(Failure(error.message, .receivingFailed))
      }
      state = .open
      opening.take()?.resume(returning: nil)
      if consumed < bytes.count { readFrames(UnsafeRawBufferPointer(rebasing: bytes[consumed...])) }
    }
  }

  private func fail(_ failure: Failure) {
    self.failure = failure
    end()
  }

  // MARK: Frames

  private func readFrames(_ bytes: UnsafeRawBufferPointer) {
    let now = Clocks.monotonic
    var rest = bytes
    while true {
      if !isInsideMessage {
        rest = UnsafeRawBufferPointer(rebasing: rest[test.receive(plain: rest, by: index, at: now)...])
      }
      if rest.isEmpty { return }
      let (consumed, event) = decoder.read(rest)
      rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
      switch event {
      case nil: isInsideMessage = true
      case .message(let message):
        isInsideMessage = false
        if message.kind == .text { test.receive(message.bytes, by: index, at: now) } else { test.receiveBinary() }
      case .ping(let payload): stream.write(frame(.pong, payload))
      case .pong: break
      case .close(let code, let reason):
        return cut("closed with \(WebSocketClose(.peer, code, reason))")
      case .failure(_, let reason):
        return cut("not WebSocket: \(reason)")
      }
    }
  }

  private func cut(_ reason: String) {
    end()
    test.cut(index, because: reason)
  }

  private func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> [UInt8] {
    var frame: [UInt8] = []
    var generator = SystemRandomNumberGenerator()
    WebSocketFrame.appendMasked(opcode, payload, using: &generator, to: &frame)
    return frame
  }
}
