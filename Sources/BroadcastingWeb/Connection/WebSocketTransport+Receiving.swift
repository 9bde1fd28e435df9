//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// Who takes what comes on a socket as it comes, without a task that waits for it. All calls come on the socket's loop.
package protocol WebSocketConsumer: AnyObject, Sendable {
  /// Messages came together. They cannot be held up: whoever may be slow receives by ``WebSocket/receive()``.
  func received(_ messages: [WebSocketMessage])

  /// Nothing more will come. This is the last call.
  func socketEnded(_ close: WebSocketClose)
}

extension WebSocketTransport {
  // MARK: Message by message

  func takeMessage() -> WebSocketMessage? {
    isReceivedFrom = true
    guard let message = inbox.popFirst() else { return nil }
    guard inbox.isEmpty else { return message }
    readOn()
    return message
  }

  func setReceiver(_ continuation: UnsafeContinuation<Bool, Never>) {
    receiver.take()?.resume(returning: false)
    if isOver || !inbox.isEmpty || Task.isCancelled {
      continuation.resume(returning: true)
    } else {
      receiver = continuation
    }
  }

  /// Whoever received knows that nothing comes any more.
  func hearEnd() {
    endWasHeard = true
    if isClosed { tellEnd() }
  }

  func wakeReceiver() { receiver.take()?.resume(returning: true) }

  private func readOn() {
    guard isPaused else { return }
    isPaused = false
    stream.startReading()
  }

  // MARK: As it comes

  /// Hands what comes from now on to a consumer, and what waits already. It is kept until the socket's end.
  package func deliver(to consumer: any WebSocketConsumer) {
    self.consumer = consumer
    consume()
    readOn()
  }

  /// Hands nothing more to the consumer, and begins to close.
  package func stopDelivering(_ closure: WebSocketClosure) {
    consumer = nil
    beginClose(closure)
  }

  /// Says goodbye, and ends the connection without waiting for the peer's answer.
  package func leave(_ closure: WebSocketClosure) {
    stopDelivering(closure)
    stream.close()
  }

  func consume() {
    guard let consumer else { return }
    let messages = inbox.takeAll()
    if !messages.isEmpty { consumer.received(messages) }
    guard isOver else { return }
    self.consumer = nil
    consumer.socketEnded(close ?? WebSocketClose(.connection))
  }
}
