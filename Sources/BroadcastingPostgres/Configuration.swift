//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
package import BroadcastingNetwork

extension PostgresBroadcast {
  /// How the backend behaves. What concerns the connection itself (TLS, passwords, several hosts) is in the URL, as libpq has it.
  public struct Configuration: Sendable {
    /// What all backends have in common. The longest pause before reconnecting is 3 s here.
    public var hub: HubConfiguration

    /// The largest payload in bytes that may be published. What comes may have 64 MiB.
    ///
    /// What NOTIFY can't carry at once goes in parts of 7,920 bytes, all in one transaction: 1 MiB of text is 133 of them, and
    /// some 10 ms, in which others wait.
    public var maximumMessageBytes = 1024 * 1024

    /// How long a message may take until the database has committed it.
    public var publishTimeout: Duration = .seconds(2)

    /// How long the database may take to confirm a subscription, or its end. Of more channels than go in one transaction,
    /// 8,192 or fewer where the database is slow, the others wait for their turn first: as long once more at most, so that
    /// no call takes longer than twice this.
    public var subscribeTimeout: Duration = .seconds(2)

    /// How long connecting may take, for each of the two connections: the look-up of the name, TLS and the log-in.
    public var connectTimeout: Duration = .seconds(5)

    /// The loop to run on. One is made for it if nil.
    package var loop: EventLoop?

    public init(onEvent: (@Sendable (BroadcastEvent) -> Void)? = nil) {
      hub = HubConfiguration(onEvent: onEvent)
      hub.longestReconnectDelay = .seconds(3)
    }
  }
}
