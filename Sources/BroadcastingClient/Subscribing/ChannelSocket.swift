//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// The WebSocket of one channel. Without positions a frame does not say which channel it is of, so a socket has one.
///
/// It lives on its loop, as its connection does: all of it is called there.
// Sendable: what it changes is touched on its loop alone, where the socket calls its consumer.
final class ChannelSocket: WebSocketConsumer, @unchecked Sendable {
  let channel: Channel
  let socket: WebSocket
  private let inbox: DriverInbox
  private let onEnd: @Sendable (ChannelSocket, WebSocketClose) -> Void
  /// The channel as frames with positions name it; nil for frames without.
  private let name: [UInt8]?

  // What the first frame says, with positions.
  private var head: Result<MessagePosition?, BroadcastError>?
  private var waiter: UnsafeContinuation<Void, Never>?

  /// - Parameters:
  ///   - positions: Whether frames begin with a line that says where they stand.
  ///   - onEnd: Called on the loop when it has ended without ``stop()`` or ``leave()``.
  init(
    _ channel: Channel, _ socket: WebSocket, _ inbox: DriverInbox, positions: Bool,
    onEnd: @escaping @Sendable (ChannelSocket, WebSocketClose) -> Void
  ) {
    self.channel = channel
    self.socket = socket
    self.inbox = inbox
    self.onEnd = onEnd
    name = positions ? Array(PercentEncoding.encode(channel.name).utf8) : nil
    if !positions { head = .success(nil) }
  }

  /// Whether the server has said where the channel stands.
  var isOpen: Bool { if case .success? = head { true } else { false } }

  func start() { socket.transport.deliver(to: self) }

  /// Unsubscribes: from here on nothing comes. The close frames are exchanged behind this.
  func stop() {
    socket.transport.stopDelivering(WebSocketClosure(.normal))
    open(.failure(RemoteError.cancelled()))
  }

  /// The same, without waiting for the server's answer.
  func leave() {
    socket.transport.leave(WebSocketClosure(.goingAway))
    open(.failure(RemoteError.cancelled()))
  }

  /// Waits for the server's word of where the channel stands. Nil where it has no history, or the server knows none.
  ///
  /// - Throws: Also when the task is cancelled, or ``fail(_:)`` is called.
  func waitForHead() async throws(BroadcastError) -> MessagePosition? {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { keep($0) }
    } onCancel: {
      socket.loop.execute { self.fail(RemoteError.cancelled()) }
    }
    return try head?.get() ?? nil
  }

  /// Ends the wait, unless the server's word has come.
  func fail(_ error: BroadcastError) { open(.failure(error)) }

  private func keep(_ continuation: UnsafeContinuation<Void, Never>) {
    if Task.isCancelled { fail(RemoteError.cancelled()) }
    if head == nil { waiter = continuation } else { continuation.resume() }
  }

  private func open(_ head: Result<MessagePosition?, BroadcastError>) {
    if self.head == nil { self.head = head }
    waiter.take()?.resume()
  }

  // MARK: WebSocketConsumer

  func received(_ messages: [WebSocketMessage]) {
    guard let name else {
      return inbox.received(messages.map { Self.message($0.kind, $0.bytes, channel, nil) }, on: channel)
    }
    var arrived: [Message] = []
    arrived.reserveCapacity(messages.count)
    for message in messages {
      guard let frame = PositionedFrame(message.bytes), frame.channel == name else { return endStrange(arrived) }
      switch frame.content {
      case .state: open(.success(frame.position))
      case .message:
        arrived.append(Self.message(message.kind, Array(message.bytes[frame.payloadStart...]), channel, frame.position))
      }
    }
    if !arrived.isEmpty { inbox.received(arrived, on: channel) }
  }

  func socketEnded(_ close: WebSocketClose) { onEnd(self, close) }

  private static func message(
    _ kind: WebSocketMessage.Kind, _ bytes: [UInt8], _ channel: Channel, _ position: MessagePosition?
  ) -> Message {
    switch kind {
    case .text: Message(validUTF8: bytes, to: channel, position: position)
    case .binary: Message(bytes, to: channel, position: position)
    }
  }

  /// Whoever sends other frames than those that were asked for cannot be followed.
  private func endStrange(_ arrived: [Message]) {
    if !arrived.isEmpty { inbox.received(arrived, on: channel) }
    socket.transport.leave(WebSocketClosure(.protocolError, "A frame without its position."))
    onEnd(self, WebSocketClose(.local, .protocolError, "a frame came without its position"))
  }
}
