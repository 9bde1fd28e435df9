//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The life of a WebSocket behind its handshake (RFC 6455 sections 5.5 and 7), without its connection: what was read
/// goes in, and what is to be done comes out.
///
/// It goes from open through closing, when one end has sent its close frame, to closed, when both have or the
/// connection is gone. After this end's close frame nothing more is sent; what the peer sends up to its own is read
/// and dropped, after that not even read.
package struct WebSocketMachine: Sendable {
  package enum State: Hashable, Sendable {
    case open
    /// This end has sent its close frame and waits for the peer's, or for the end of the connection.
    case closing
    case closed
  }

  package enum Action: Hashable, Sendable {
    /// A message for the application.
    case deliver(WebSocketMessage)

    /// The peer is alive and wants an answer: ``WebSocketMachine/takePong()`` when the connection takes bytes.
    case answerPing

    /// The peer has answered a ping, or sent a pong of its own accord.
    case pong([UInt8])

    /// Send this close frame, then end the connection: at once where this is a server or the peer broke a rule, else
    /// when the server has ended it (RFC 6455 section 7.1.1).
    case sendClose([UInt8], thenEnd: Bool)

    /// Both close frames are there: end the connection, or where this is a client wait for the server to.
    case end
  }

  private let role: WebSocketRole
  private var decoder: WebSocketFrameDecoder
  private var ping: [UInt8]?
  package private(set) var state = State.open

  /// How the socket ended, once one end has said so or the connection has broken.
  package private(set) var close: WebSocketClose?

  package init(_ role: WebSocketRole, limits: WebSocketLimits = WebSocketLimits()) {
    self.role = role
    decoder = WebSocketFrameDecoder(role, limits: limits)
  }

  /// Takes bytes as far as the next thing to do, and tells how many those were. Without an action all were taken.
  package mutating func read(_ bytes: UnsafeRawBufferPointer) -> (consumed: Int, action: Action?) {
    var total = 0
    while total < bytes.count {
      guard state != .closed else { return (bytes.count, nil) }
      let (consumed, event) = decoder.read(UnsafeRawBufferPointer(rebasing: bytes[total...]))
      total += consumed
      guard let event else { break }
      if let action = act(on: event) { return (total, action) }
    }
    return (total, nil)
  }

  private mutating func act(on event: WebSocketFrameDecoder.Event) -> Action? {
    switch (state, event) {
    case (.open, .message(let message)): return .deliver(message)
    case (.open, .ping(let payload)):
      ping = payload
      return .answerPing
    case (.open, .pong(let payload)): return .pong(payload)
    case (.open, .close(let code, let reason)):
      state = .closed
      close = WebSocketClose(.peer, code, reason)
      // The code is given back; a reason is not.
      return .sendClose(frame(.close, WebSocketFrame.closePayload(code, "")), thenEnd: role == .server)
    case (.open, .failure(let code, let reason)):
      state = .closed
      close = WebSocketClose(.local, code, reason)
      return .sendClose(frame(.close, WebSocketFrame.closePayload(code, reason)), thenEnd: true)
    case (.closing, .close), (.closing, .failure):
      state = .closed
      return .end
    case (.closing, .message), (.closing, .ping), (.closing, .pong), (.closed, _): return nil
    }
  }

  /// The frame that answers the peer's latest ping, or nil. Earlier ones need no answer (RFC 6455 section 5.5.3), so
  /// that a peer which sends pings and reads nothing can't fill the memory.
  package mutating func takePong() -> [UInt8]? {
    guard state == .open, let payload = ping else { return nil }
    ping = nil
    return frame(.pong, payload)
  }

  /// A ping, or nil when the socket is no longer open. Its payload is cut at 125 bytes.
  package func makePing(_ payload: [UInt8] = []) -> [UInt8]? {
    state == .open ? frame(.ping, Array(payload.prefix(WebSocketFrame.controlLimit))) : nil
  }

  /// The frame of a message, or nil when the socket is no longer open. A server's frames are the same for all its
  /// sockets: ``WebSocketFrame/encode(_:)`` makes one for many.
  package func makeFrame(_ message: WebSocketMessage) -> [UInt8]? {
    state == .open ? frame(WebSocketOpcode(message.kind), message.bytes) : nil
  }

  /// Begins to close: gives the close frame, or nil where one was sent already.
  ///
  /// - Parameter reason: Cut between two characters at 123 bytes.
  package mutating func beginClose(_ code: WebSocketCloseCode = .normal, reason: String = "") -> [UInt8]? {
    guard state == .open else { return nil }
    state = .closing
    ping = nil
    close = WebSocketClose(.local, code, reason)
    return frame(.close, WebSocketFrame.closePayload(code, reason))
  }

  /// The connection is gone, with a close frame or without, or was given up.
  package mutating func connectionEnded() {
    state = .closed
    ping = nil
    close = close ?? WebSocketClose(.connection)
  }

  private func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> [UInt8] {
    switch role {
    case .server: return WebSocketFrame.encode(opcode, payload)
    case .client:
      var frame: [UInt8] = []
      var generator = SystemRandomNumberGenerator()
      WebSocketFrame.appendMasked(opcode, payload, using: &generator, to: &frame)
      return frame
    }
  }
}
