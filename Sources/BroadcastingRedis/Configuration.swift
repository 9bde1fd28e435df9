//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
package import BroadcastingNetwork
@_exported public import BroadcastingTLS

extension RedisBroadcast {
  /// How a Redis backend behaves.
  public struct Configuration: Sendable {
    /// What all backends have in common. The longest pause before reconnecting is 2 s here.
    public var hub: HubConfiguration

    /// For `rediss`: whom to trust.
    public var tls = TLSConfiguration()

    /// What the connections are called in the server's list of them (`CLIENT LIST`). Redis takes no spaces in it.
    public var clientName = "swift-broadcast"

    /// The largest payload in bytes that may be published. Redis itself takes nearly 512 MiB by default (its
    /// `proto-max-bulk-len`), and closes the connection for more. The programs that subscribe need a ``maximumReceivedBytes`` to
    /// match, and from some 16 MiB on the server a higher `client-output-buffer-limit pubsub`. It is at most 511 MiB.
    public var maximumMessageBytes = 1024 * 1024

    /// The largest payload in bytes that is taken from the server. Other programs may publish up to its `proto-max-bulk-len`. Of a
    /// larger one nothing is kept in memory: its channel's subscribers are told by a `Gap` of one message, and the event `dropped`
    /// tells of the first of a connection, and again whenever their number has doubled. It is at least 1 MiB more than
    /// ``maximumMessageBytes``, and at most 512 MiB.
    ///
    /// A server closes the connection to a subscriber for which it holds more than its `client-output-buffer-limit pubsub`, 32 MiB
    /// by default: with twice this limit there, the largest message has room beside others.
    public var maximumReceivedBytes = 16 * 1024 * 1024

    /// How long a message may take until Redis has it. It fails then with `timedOut`, and may have arrived.
    public var publishTimeout: Duration = .seconds(2)

    /// How long a subscription may take until Redis has confirmed it.
    public var subscribeTimeout: Duration = .seconds(2)

    /// How long a question may take: a page of a history.
    public var queryTimeout: Duration = .seconds(5)

    /// How long it may take to connect and log in: once for the line that subscribes, once for the one that publishes, and once
    /// for the one that asks, where there are histories.
    public var connectTimeout: Duration = .seconds(3)

    /// What the names of all keys begin with. Redis keeps histories and presence in keys, in the database that the URL names; all
    /// programs that share them need the same prefix. 1 to 64 bytes without `{`, `}`, `*`, a space or a control character.
    public var keyPrefix = "broadcast:"

    /// Whether a history that is there again after a restart of the server goes on, without a gap.
    ///
    /// By default a server that was restarted begins a new epoch, since nobody knows whether it has lost the newest messages, and
    /// subscribers are told so by a gap. True is for a server that loses none: one with `appendonly yes` and `appendfsync always`,
    /// and never replaced by a replica. With any other, messages can be missing without a gap. All programs
    /// need the same: one with false begins a new epoch, one time, in each log that one with true has begun.
    public var historyOutlivesServer = false

    /// The loop to run on. One is made for it if nil.
    package var loop: EventLoop?

    public init(onEvent: (@Sendable (BroadcastEvent) -> Void)? = nil) {
      hub = HubConfiguration(onEvent: onEvent)
      hub.longestReconnectDelay = .seconds(2)
    }
  }
}
