//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import BroadcastingNetwork

/// What a server does with a request.
package enum HTTPAnswer: Sendable {
  case response(HTTPResponse)

  /// The connection goes on as a WebSocket.
  case upgrade(WebSocketUpgrade)
}

/// A WebSocket that a handler agreed to.
package struct WebSocketUpgrade: Sendable {
  /// The 101, ready to be sent.
  package var head: [UInt8]

  package var limits: WebSocketLimits
  package var timeouts: WebSocketTimeouts
  package var task: WebSocketTask

  package init(head: [UInt8], limits: WebSocketLimits, timeouts: WebSocketTimeouts, task: WebSocketTask) {
    self.head = head
    self.limits = limits
    self.timeouts = timeouts
    self.task = task
  }
}

/// What a socket is for.
package struct WebSocketTask: Sendable {
  /// The socket is closed when this returns; nil is a normal end.
  package var body: @Sendable (WebSocket) async -> (any Error)?

  /// How it is closed after an error.
  package var closure: @Sendable (any Error) -> WebSocketClosure

  package init(
    body: @escaping @Sendable (WebSocket) async -> (any Error)?,
    closure: @escaping @Sendable (any Error) -> WebSocketClosure
  ) {
    self.body = body
    self.closure = closure
  }
}

/// Answers the requests of a server's connections. It runs on the loop of the connection that asks, inside its actor.
package protocol HTTPHandler: Sendable {
  func answer(_ request: HTTPRequest, from peer: HTTPPeer) async -> HTTPAnswer

  /// The answer to what is no request: malformed, over a limit, or too late.
  func answer(_ error: HTTPError) -> HTTPResponse
}

/// The other end of a connection.
package struct HTTPPeer: Sendable {
  /// The loop that the connection lives on.
  package var loop: EventLoop

  /// Where the peer connects from: the proxy's address, where one stands in front.
  package var address: SocketAddress?
}

/// Times after which a connection is ended. Each is noticed up to a second late.
package struct HTTPTimeouts: Sendable {
  /// From a request's first byte to its last.
  package var request: Duration

  /// Between two requests. Longer than the 60 s after which nginx gives an idle upstream connection up, so that the
  /// proxy ends it and never sends into one that is just being closed.
  package var idle: Duration

  /// How long a peer may take no byte of what is to be sent to it.
  package var write: Duration

  package init(request: Duration = .seconds(10), idle: Duration = .seconds(75), write: Duration = .seconds(30)) {
    self.request = request
    self.idle = idle
    self.write = write
  }
}
