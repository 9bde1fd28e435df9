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

  /// What the socket is for.
  package var body: WebSocketBody

  package init(head: [UInt8], body: @escaping WebSocketBody) {
    self.head = head
    self.body = body
  }
}

/// A socket that is open, and what it is for.
///
/// Not a tuple: a function in an optional tuple is called through two more frames, which would sleep with every socket.
package struct UpgradedSocket: Sendable {
  package var socket: WebSocket
  package var body: WebSocketBody
}

/// Serves a socket, which is closed when this returns. Nil is a normal end.
package typealias WebSocketBody = @Sendable (WebSocket) async -> (any Error)?

/// Answers the requests of a server's connections. It runs on the loop of the connection that asks, inside its actor.
package protocol HTTPHandler: Sendable {
  func answer(_ request: HTTPRequest, from peer: HTTPPeer) async -> HTTPAnswer

  /// How sockets behave.
  var sockets: WebSocketSettings { get }

  /// How a socket is closed after an error of its body.
  func closure(after error: any Error) -> WebSocketClosure

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
