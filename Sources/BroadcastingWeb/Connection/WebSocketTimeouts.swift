//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Times by which a socket is kept alive or given up. Each is noticed up to a second late.
public struct WebSocketTimeouts: Sendable {
  /// Silence of the peer after which it gets a ping.
  public var ping: Duration

  /// Silence after which the connection is cut. A peer that takes bytes which wait for it is not silent.
  public var silence: Duration

  /// How long a peer may leave a close frame unanswered before the connection is cut.
  public var close: Duration

  public init(ping: Duration = .seconds(20), silence: Duration = .seconds(33), close: Duration = .seconds(8)) {
    self.ping = ping
    self.silence = silence
    self.close = close
  }
}

/// What all sockets of a server have in common. One object, which they share.
package final class WebSocketSettings: Sendable {
  package let limits: WebSocketLimits
  package let timeouts: WebSocketTimeouts

  package init(limits: WebSocketLimits = .init(), timeouts: WebSocketTimeouts = .init()) {
    self.limits = limits
    self.timeouts = timeouts
  }
}
