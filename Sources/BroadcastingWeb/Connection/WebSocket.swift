//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import BroadcastingNetwork

/// Who sends to a socket for long, without a task that would be told. Both calls come on the socket's loop.
package protocol WebSocketObserver: AnyObject, Sendable {
  /// Nothing waits for the peer any more: more can be sent.
  func socketDrained()

  /// The connection has ended. Told once, when nobody works on a message of it any more, or has for too long.
  func socketEnded()
}

/// A WebSocket that is open, at either end.
///
/// One task receives, any task may send. It lives on one event loop: calls from tasks on that loop, such as a server's
/// handlers, cost next to nothing.
public actor WebSocket {
  package nonisolated let loop: EventLoop
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Bytes that may wait for the peer before ``send(_:)`` waits too.
  private static let sendBuffer = 64 * 1024

  // Unsafe only in name: it belongs to the loop, and all that touch it run there. These are this actor, whose executor is
  // the loop, the stream, and a fan-out, an actor on a loop too, which takes no socket of another's.
  package nonisolated(unsafe) let transport: WebSocketTransport

  package init(_ stream: sending any ByteStream, role: WebSocketRole, _ settings: WebSocketSettings) {
    loop = stream.loop
    transport = WebSocketTransport(stream, role: role, settings)
  }

  /// How the socket ended; nil while it is open.
  public var closed: WebSocketClose? { transport.close }

  /// Waits for the next message.
  ///
  /// One task receives: where a second one calls while the first waits, the first gets nil.
  ///
  /// - Returns: nil when the socket is closed by either end, and when the task is cancelled.
  public func receive() async -> WebSocketMessage? {
    while !Task.isCancelled {
      if let message = transport.takeMessage() { return message }
      if transport.isOver {
        transport.hearEnd()
        return nil
      }
      let isStillReceiver = await withTaskCancellationHandler {
        await withUnsafeContinuation { transport.setReceiver($0) }
      } onCancel: {
        loop.execute { self.assumeIsolated { $0.transport.wakeReceiver() } }
      }
      if !isStillReceiver { return nil }
    }
    return nil
  }

  /// Sends a message. It waits while 64 KiB or more of earlier ones wait for the peer.
  ///
  /// - Throws: ``WebSocketClosure`` when the socket is closed, or closes while this waits; with 1001 when the task is
  ///   cancelled.
  public func send(_ message: WebSocketMessage) async throws(WebSocketClosure) {
    while transport.pendingBytes >= Self.sendBuffer, !transport.isOver {
      if Task.isCancelled { throw WebSocketClosure(.goingAway) }
      await withTaskCancellationHandler {
        await withUnsafeContinuation { transport.addSender($0) }
      } onCancel: {
        loop.execute { self.assumeIsolated { $0.transport.wakeSenders() } }
      }
    }
    guard transport.send(message) else {
      throw WebSocketClosure(closed?.code ?? .goingAway, "The socket is closed.")
    }
  }

  /// Sends text.
  public func send(_ text: String) async throws(WebSocketClosure) { try await send(.text(text)) }

  /// Sends a binary message.
  public func send(_ bytes: [UInt8]) async throws(WebSocketClosure) { try await send(.binary(bytes)) }

  /// Begins to close: what was sent before still goes out, then the close frame. It does not wait for the peer.
  public func close(_ code: WebSocketCloseCode = .normal, reason: String = "") {
    transport.beginClose(WebSocketClosure(code, reason))
  }

  // MARK: Its life

  /// Takes over from HTTP: sends the head that ends the handshake, and reads what already came behind the peer's.
  ///
  /// - Parameter sawEnd: whether the peer has finished, so that nothing more will come.
  package func open(sending head: [UInt8], received bytes: [UInt8], sawEnd: Bool = false) {
    transport.open(sending: head, received: bytes, sawEnd: sawEnd)
  }

  /// Does what the socket is for, closes it accordingly, and returns when the connection has ended.
  ///
  /// - Parameters:
  ///   - body: gives nil at a normal end.
  ///   - closure: how the socket is closed after an error.
  package func run(_ body: WebSocketBody, closure: (any Error) -> WebSocketClosure) async {
    if let error = await body(self) {
      transport.beginClose(closure(error))
    } else {
      transport.beginClose(WebSocketClosure(Task.isCancelled ? .goingAway : .normal))
    }
    // Nobody receives any more.
    transport.hearEnd()
    await waitForEnd()
  }

  // Apart, so that its frame is no part of one that sleeps for as long as the socket is open.
  @inline(never)
  private func waitForEnd() async {
    await withTaskCancellationHandler {
      await transport.waitForEnd()
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.transport.hurry() } }
    }
  }
}
