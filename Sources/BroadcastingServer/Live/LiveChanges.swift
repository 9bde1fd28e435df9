//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting

/// The changes of live resources: the channels that they come from, and what their messages mean.
///
/// Make one for a route and let all of its sockets share it. Each event loop of the server then has one subscription, and
/// decodes each message once, for all of its sockets together.
///
/// ```swift
/// let changes = LiveChanges(of: ["todos"]) { message in message.text.map { LiveChange($0) } }
/// ```
public struct LiveChanges: Sendable {
  /// What is one for all copies.
  final class Storage: Sendable {
    let channels: [Channel]
    let decode: @Sendable (Message) -> LiveChange?

    init(_ channels: [Channel], _ decode: @escaping @Sendable (Message) -> LiveChange?) {
      self.channels = channels
      self.decode = decode
    }
  }

  let storage: Storage

  /// - Parameters:
  ///   - channels: Where the changes are published, at least one. A change has to be published when the states that are read
  ///     from then on have it, not before. Between channels there is no order.
  ///   - decode: What a message means; nil for one that sockets don't get. It is called on event loops and must not block.
  public init(of channels: [Channel], _ decode: @escaping @Sendable (Message) -> LiveChange?) {
    storage = Storage(channels, decode)
  }
}
