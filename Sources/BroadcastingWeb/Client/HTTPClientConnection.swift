//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import BroadcastingNetwork

/// One connection of a client: request, answer, request, one after the other, or a WebSocket.
///
/// It has the stream for itself, and reads it between requests too, so that it knows when the server has ended it. It
/// closes by itself when it has not been used for a while. To be called in tasks that prefer its loop.
package actor HTTPClientConnection {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let exchange: HTTPClientExchange

  /// - Parameters:
  ///   - limits: For the server's answers.
  ///   - idleTime: How long it stays open without a request, as the loop's clock has it.
  package init(_ stream: sending any ByteStream, limits: HTTPLimits = .init(), idleTime: Duration = .seconds(20)) {
    loop = stream.loop
    exchange = HTTPClientExchange(stream, limits: limits, idleTime: idleTime)
  }

  /// Whether it can take a request: none is under way, and neither end has closed it, as far as that is known.
  package var isReusable: Bool { exchange.isIdle }

  /// Sends a request, and gives its answer; interim ones (1xx) are passed over. An answer counts also when it comes
  /// before the whole request has been sent; the connection is of no more use then.
  ///
  /// Only one can be under way. Cancelling the task closes the connection.
  ///
  /// - Parameter deadline: How long all of it may take. It is noticed up to a second late.
  /// - Throws: ``HTTPExchangeFailure``; unless nothing was written the connection is closed then.
  package func send(
    _ request: HTTPRequest, within deadline: Duration
  ) async throws(HTTPExchangeFailure) -> HTTPResponse {
    try await send(request, mayUpgrade: false, within: deadline)
  }

  /// Opens a WebSocket, and gives it away: the connection has no more use then. What the server sends at once behind its
  /// answer is in the socket.
  ///
  /// - Returns: The server's answer where that is another than 101.
  /// - Throws: ``HTTPExchangeFailure``, also for a 101 that does not belong to the handshake.
  package func openWebSocket(
    _ handshake: WebSocketClientHandshake, _ settings: WebSocketSettings, within deadline: Duration
  ) async throws(HTTPExchangeFailure) -> WebSocketOpening {
    let response = try await send(handshake.request, mayUpgrade: true, within: deadline)
    guard response.status == .switchingProtocols else { return .refused(response) }
    do throws(HTTPError) {
      try handshake.check(response)
    } catch {
      exchange.close()
      throw HTTPExchangeFailure(.http(error), wasWritten: true)
    }
    guard let socket = becomeSocket(settings) else {
      throw HTTPExchangeFailure(
        .network(NetworkError(.closed, "The connection was closed behind the server's answer.")), wasWritten: true)
    }
    return .opened(socket)
  }

  private func becomeSocket(_ settings: WebSocketSettings) -> WebSocket? {
    guard let (stream, unread, sawEnd) = exchange.handOver() else { return nil }
    // The exchange was the stream's only user and has given it up. Both actors live on the stream's loop.
    nonisolated(unsafe) let handedOver = stream
    let socket = WebSocket(handedOver, role: .client, settings)
    socket.assumeIsolated { $0.open(sending: [], received: unread, sawEnd: sawEnd) }
    return socket
  }

  /// Closes it at once. A request that is under way fails.
  package func close() { exchange.close() }

  private func send(
    _ request: HTTPRequest, mayUpgrade: Bool, within deadline: Duration
  ) async throws(HTTPExchangeFailure) -> HTTPResponse {
    var bytes: [UInt8] = []
    do throws(HTTPError) {
      try HTTPSerializer.append(request, to: &bytes)
    } catch {
      throw HTTPExchangeFailure(.http(error), wasWritten: false)
    }
    if Task.isCancelled {
      throw HTTPExchangeFailure(
        .network(NetworkError(.cancelled, "The task was cancelled before the request was sent.")), wasWritten: false)
    }
    let due = loop.now + deadline
    guard let number = exchange.begin(bytes, method: request.method, mayUpgrade: mayUpgrade, deadline: due) else {
      throw HTTPExchangeFailure(
        .network(NetworkError(.closed, "The connection is closed, or in use.")), wasWritten: false,
        broughtNothing: exchange.broughtNothing)
    }
    let outcome = await withTaskCancellationHandler {
      await exchange.wait()
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.exchange.cancel(number) } }
    }
    switch outcome {
    case .response(let response): return response
    case .failure(let failure): throw failure
    }
  }
}

/// What became of asking for a WebSocket.
package enum WebSocketOpening: Sendable {
  case opened(WebSocket)
  /// The server's answer.
  case refused(HTTPResponse)
}
