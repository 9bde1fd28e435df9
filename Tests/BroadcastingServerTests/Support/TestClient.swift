//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingWeb
import TestSupport

/// A client over a real connection, which reads only while it is asked for something: one that is left alone is a
/// stalled reader.
actor TestClient {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let inlet: Inlet
  private var machine = WebSocketMachine(.client, limits: WebSocketLimits(messageBytes: 64 << 20))
  private var ready: [WebSocketMessage] = []

  init(_ stream: sending SocketStream) {
    loop = stream.loop
    inlet = Inlet(stream)
  }

  static func connect(to port: UInt16, on loop: EventLoop) async throws -> TestClient {
    TestClient(try await loop.connect(to: "127.0.0.1", port: port, within: .seconds(10)))
  }

  // MARK: HTTP

  /// Sends a request and waits for its response. Nil when the connection ends before it.
  func request(
    _ method: HTTPMethod = .get, _ target: String, _ headers: HTTPHeaders = [:], body: [UInt8] = []
  ) async throws -> HTTPResponse? {
    var headers = headers
    if headers["Host"] == nil { headers.append("Host", "localhost") }
    var bytes: [UInt8] = []
    try HTTPSerializer.append(HTTPRequest(method: method, target: target, headers: headers, body: body), to: &bytes)
    inlet.stream.write(bytes)
    return try await response(to: method)
  }

  /// Sends a `GET` and reads nothing of its answer.
  func ask(_ target: String) {
    inlet.stream.write(Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
  }

  func post(_ target: String, _ type: String?, _ body: [UInt8], _ headers: HTTPHeaders = [:]) async throws
    -> HTTPResponse?
  {
    var headers = headers
    if let type { headers.append("Content-Type", type) }
    return try await request(.post, target, headers, body: body)
  }

  func post(json body: String, to target: String = "/push") async throws -> HTTPResponse? {
    try await post(target, "application/json", Array(body.utf8))
  }

  func response(to method: HTTPMethod = .get) async throws -> HTTPResponse? {
    let parser = HTTPResponseParser(limits: HTTPLimits(bodyBytes: 64 << 20))
    while true {
      while !inlet.bytes.isEmpty {
        let (consumed, event) = inlet.take { parser.read($0, answering: method) }
        switch event {
        case .needsMore: break
        case .failed(let error): throw error
        case .response(let response, _): return response
        }
        if consumed == 0 { break }
      }
      guard await inlet.more() else { return nil }
    }
  }

  /// Asks for a WebSocket. On a 101 the other calls speak that.
  func upgrade(_ target: String = "/events", _ headers: HTTPHeaders = [:]) async throws -> HTTPResponse? {
    // Not the system's: the thread sanitizer traps at an `inout` of a type without a size.
    var generator = SeededGenerator(seed: .random(in: 0 ... .max))
    var fields: HTTPHeaders = [:]
    for (name, value) in headers where name != "Host" { fields.append(name, value) }
    let handshake = WebSocketClientHandshake(
      host: headers["Host"] ?? "localhost", target: target, headers: fields, using: &generator)
    var bytes: [UInt8] = []
    try HTTPSerializer.append(handshake.request, to: &bytes)
    inlet.stream.write(bytes)
    guard let response = try await response() else { return nil }
    if response.status == .switchingProtocols { try handshake.check(response) }
    return response
  }

  // MARK: WebSocket

  /// The next message; nil when the socket is closed.
  func receive() async -> WebSocketMessage? {
    while true {
      if !ready.isEmpty { return ready.removeFirst() }
      if machine.state != .open { return nil }
      if inlet.bytes.isEmpty {
        guard await inlet.more() else {
          machine.connectionEnded()
          return nil
        }
      }
      let actions = inlet.take { bytes in
        var actions: [WebSocketMachine.Action] = []
        var rest = bytes
        while !rest.isEmpty {
          let (consumed, action) = machine.read(rest)
          rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
          guard let action else { break }
          actions.append(action)
        }
        return (bytes.count, actions)
      }.1
      for action in actions {
        switch action {
        case .deliver(let message): ready.append(message)
        case .sendClose(let frame, _): inlet.stream.write(frame)
        case .answerPing: if let pong = machine.takePong() { inlet.stream.write(pong) }
        case .pong, .end: break
        }
      }
    }
  }

  /// Takes a little of what comes, and keeps it for ``receive()``. False at the end.
  func takeSome() async -> Bool { await inlet.more() }

  func receiveText() async -> String? { await receive()?.text }

  /// Reads to the end: how many messages still came, and how the socket was closed.
  func end() async -> WebSocketClose? {
    while await receive() != nil {}
    return machine.close
  }

  var close: WebSocketClose? { machine.close }

  func send(_ message: WebSocketMessage) { if let frame = machine.makeFrame(message) { inlet.stream.write(frame) } }

  func send(_ text: String) { send(.text(text)) }

  /// Closes the socket properly: waits for the server's answer, and ends the connection.
  func leave() async {
    if let frame = machine.beginClose(.normal, reason: "") { inlet.stream.write(frame) }
    while machine.state == .closing {
      if inlet.bytes.isEmpty, await !inlet.more() { break }
      _ = inlet.take { machine.read($0) }
    }
    inlet.stream.close()
  }

  // MARK: The connection

  func write(_ bytes: [UInt8]) { inlet.stream.write(bytes) }

  /// Waits for the server's end of the connection. False if bytes came before it.
  func waitForEnd() async -> Bool {
    while await inlet.more() {}
    return inlet.bytes.isEmpty
  }

  func disconnect() { inlet.stream.close() }
  func reset() { inlet.stream.reset() }
}

/// What came on a stream.
private final class Inlet: StreamDelegate {
  let stream: SocketStream
  private(set) var bytes: [UInt8] = []
  private var hasEnded = false
  private var waiter: UnsafeContinuation<Void, Never>?

  init(_ stream: SocketStream) {
    self.stream = stream
    stream.delegate = self
  }

  func received(_ bytes: UnsafeRawBufferPointer) {
    self.bytes.append(contentsOf: bytes)
    if waiter == nil { stream.stopReading() }
    wake()
  }

  func drained() {}

  func ended(_ error: NetworkError?) {
    hasEnded = true
    wake()
  }

  func closed() {
    hasEnded = true
    wake()
  }

  /// Waits for more. False when nothing will come.
  nonisolated(nonsending) func more() async -> Bool {
    if hasEnded { return false }
    let before = bytes.count
    stream.startReading()
    await withUnsafeContinuation { waiter = $0 }
    return bytes.count > before || !hasEnded
  }

  /// Lets `body` read what is there, and drops as much as it says.
  func take<Result>(_ body: (UnsafeRawBufferPointer) -> (Int, Result)) -> (Int, Result) {
    let taken = bytes.withUnsafeBytes(body)
    bytes.removeFirst(taken.0)
    return taken
  }

  private func wake() { waiter.take()?.resume() }
}

extension HTTPResponse {
  var text: String { String(decoding: body, as: UTF8.self) }
}
