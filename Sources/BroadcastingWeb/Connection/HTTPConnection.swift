//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import BroadcastingNetwork

/// One connection of a server, from its first byte to its last: request, answer, request, until one side ends it or it
/// becomes a WebSocket.
package actor HTTPConnection {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Nil once the connection is a WebSocket, which has no use for a parser and its memory.
  private var exchange: HTTPExchange?

  package init(_ stream: sending SocketStream, limits: HTTPLimits, timeouts: HTTPTimeouts) {
    loop = stream.loop
    exchange = HTTPExchange(stream, limits: limits, timeouts: timeouts)
  }

  /// Answers requests until the connection ends, or becomes a WebSocket, which is the caller's to run then. To be called
  /// in a task that prefers the connection's loop.
  ///
  /// Cancelling it closes a connection that waits for a request. A request that is being answered is answered first, if
  /// its handler does not mind the cancellation.
  package func serve(_ handler: some HTTPHandler) async -> UpgradedSocket? {
    await withTaskCancellationHandler {
      guard let upgrade = await answerRequests(handler), let socket = becomeSocket(upgrade, handler.sockets) else {
        return nil
      }
      return UpgradedSocket(socket: socket, body: upgrade.body)
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.exchange?.stop() } }
    }
  }

  /// If it waits for a request, so that it can be dropped without harm: since when, and whether it has had one before.
  package var waiting: (since: LoopInstant, hasBeenUsed: Bool)? {
    guard let exchange, exchange.isWaiting else { return nil }
    return (exchange.waitingSince, exchange.hasBeenUsed)
  }

  /// Closes it at once, to make room for others.
  package func drop() { exchange?.drop() }

  private func answerRequests(_ handler: some HTTPHandler) async -> WebSocketUpgrade? {
    guard let exchange else { return nil }
    if Task.isCancelled { exchange.stop() }
    let peer = HTTPPeer(loop: loop, address: exchange.peerAddress)
    while let incoming = await exchange.next() {
      switch incoming {
      case .request(let request, let keepAlive):
        switch await handler.answer(request, from: peer) {
        case .upgrade(let upgrade):
          return upgrade
        case .response(let response):
          var bytes: [UInt8] = []
          let staysOpen = handler.append(response, to: request, keepAlive: keepAlive && !Task.isCancelled, to: &bytes)
          let lease = response.lease
          let isSent = await exchange.send(bytes)
          withExtendedLifetime(lease) {}
          guard isSent, staysOpen else {
            await exchange.finish()
            return nil
          }
        }
      case .failed(let error):
        var bytes: [UInt8] = []
        handler.append(handler.answer(error), to: HTTPRequest(), keepAlive: false, to: &bytes)
        _ = await exchange.send(bytes)
        await exchange.finish()
        return nil
      }
    }
    await exchange.finish()
    return nil
  }

  private func becomeSocket(_ upgrade: WebSocketUpgrade, _ settings: WebSocketSettings) -> WebSocket? {
    // It may have closed while the handler made up its mind.
    guard let (stream, unread, sawEnd) = exchange.take()?.handOver() else { return nil }
    // The exchange was the stream's only user and has given it up. Both actors live on the stream's loop.
    nonisolated(unsafe) let handedOver = stream
    let socket = WebSocket(handedOver, role: .server, settings)
    socket.assumeIsolated { $0.open(sending: upgrade.head, received: unread, sawEnd: sawEnd) }
    return socket
  }
}

extension HTTPHandler {
  /// Writes a response, or an apology where it has a header that would break its line. Whether the connection stays.
  @discardableResult
  fileprivate func append(
    _ response: HTTPResponse, to request: HTTPRequest, keepAlive: Bool, to bytes: inout [UInt8]
  ) -> Bool {
    do {
      return try HTTPSerializer.append(
        response, answering: request.method, version: request.version, keepAlive: keepAlive, date: HTTPDate.now(),
        to: &bytes)
    } catch {
      // It has no headers but our own, so it can be written.
      _ = try? HTTPSerializer.append(
        answer(error), answering: request.method, keepAlive: false, date: HTTPDate.now(), to: &bytes)
      return false
    }
  }
}
