//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
package import BroadcastingNetwork
@_exported public import BroadcastingTLS
@_exported public import BroadcastingWeb

extension RemoteBroadcast {
  /// How a client behaves. Times that concern the server's answers are noticed up to a second late.
  public struct Configuration: Sendable {
    /// What all backends have in common. The longest pause before reconnecting is 5 s here.
    public var hub: HubConfiguration

    /// For `https` and `wss`: whom to trust.
    public var tls = TLSConfiguration()

    /// Sent with every request, such as `Authorization`.
    public var headers: HTTPHeaders = [:]

    /// The server's path for publishing, behind that of the URL.
    public var pushPath = "/push"

    /// The server's path for subscribing, behind that of the URL.
    public var eventsPath = "/events"

    /// The server's path for what channels have kept, behind that of the URL.
    public var historyPath = "/history"

    /// The largest payload in bytes that may be published: the server's `--max-message`. What comes may have 64 MiB.
    public var maximumMessageBytes = 1024 * 1024

    /// How many connections may be open for publishing. Each carries one message at a time, so this is how many are under
    /// way at once; further ones wait for their turn, at most ``requestTimeout``. Subscriptions have their own.
    public var maximumConnections = 16

    /// How long a message, or a subscription, may take until the server has confirmed it. Of more than 256 channels that
    /// are asked for at once, the others wait for their turn first.
    public var requestTimeout: Duration = .seconds(10)

    /// How long connecting may take: the look-up of the name, TCP and TLS.
    public var connectTimeout: Duration = .seconds(5)

    /// When a silent subscription is asked whether it lives, and when it is given up.
    public var sockets = WebSocketTimeouts()

    /// The loop to run on. One is made for it if nil.
    package var loop: EventLoop?

    public init(onEvent: (@Sendable (BroadcastEvent) -> Void)? = nil) {
      hub = HubConfiguration(onEvent: onEvent)
      hub.longestReconnectDelay = .seconds(5)
    }
  }
}
