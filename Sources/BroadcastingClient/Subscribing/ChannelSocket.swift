//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// The WebSocket of one channel. A frame does not say which channel it is of, so a socket has one.
final class ChannelSocket: WebSocketConsumer {
  let channel: Channel
  let socket: WebSocket
  private let inbox: DriverInbox
  private let onEnd: @Sendable (ChannelSocket, WebSocketClose) -> Void

  /// - Parameter onEnd: Called on the loop when it has ended without ``stop()`` or ``leave()``.
  init(
    _ channel: Channel, _ socket: WebSocket, _ inbox: DriverInbox,
    onEnd: @escaping @Sendable (ChannelSocket, WebSocketClose) -> Void
  ) {
    self.channel = channel
    self.socket = socket
    self.inbox = inbox
    self.onEnd = onEnd
  }

  func start() { socket.transport.deliver(to: self) }

  /// Unsubscribes: from here on nothing comes. The close frames are exchanged behind this.
  func stop() { socket.transport.stopDelivering(WebSocketClosure(.normal)) }

  /// The same, without waiting for the server's answer.
  func leave() { socket.transport.leave(WebSocketClosure(.goingAway)) }

  // MARK: WebSocketConsumer

  func received(_ messages: [WebSocketMessage]) {
    inbox.received(
      messages.map { message in
        switch message.kind {
        case .text: Message(validUTF8: message.bytes, to: channel)
        case .binary: Message(message.bytes, to: channel)
        }
      }, on: channel)
  }

  func socketEnded(_ close: WebSocketClose) { onEnd(self, close) }
}
