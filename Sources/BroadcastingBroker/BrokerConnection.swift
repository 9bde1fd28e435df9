//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
package import BroadcastingNetwork

/// A backend's way to its broker: an actor on an event loop, which lives as long as the broadcast's `run()` and serves one
/// session after the other.
///
/// Its calls are those of a `BroadcastDriver`, and come in tasks that prefer the loop. All but `publish`, which comes on any
/// thread: a hop to the loop for each message would cost more than all else. So the messages lie in the driver's
/// ``PublishMailbox``, which the connection opens while it is connected, empties, and closes with each session; or it is a
/// ``PublishingConnection``.
package protocol BrokerConnection: Actor {
  nonisolated var loop: EventLoop { get }

  /// One session: connects, tells the inbox, and stays until the connection is lost or the task is cancelled. When it
  /// returns nothing of the session is open, and all calls under way have thrown or are about to.
  func run(_ inbox: DriverInbox) async throws(BroadcastError)

  func subscribe(to channel: Channel) async throws(BroadcastError)
  /// Subscribes, and says where the channel stands. Without histories it subscribes alone.
  func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition?
  /// Comes in any task, also in one that the end of the session does not cancel.
  func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage
  /// Returns at once unless the connection has its own.
  func catchUp(with channel: Channel) async throws(BroadcastError)
  func unsubscribe(from channel: Channel) async throws(BroadcastError)
  func subscribe(to pattern: ChannelPattern) async throws(BroadcastError)
  func unsubscribe(from pattern: ChannelPattern) async throws(BroadcastError)

  /// The broadcast's `run()` is over, and no session will follow.
  func close() async
}

/// A connection that takes messages itself.
package protocol PublishingConnection: BrokerConnection {
  /// Comes on any thread.
  nonisolated func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt]
}

extension BrokerConnection {
  package func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition? {
    try await subscribe(to: channel)
    return nil
  }

  package func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage {
    throw .historyUnsupported
  }

  package func catchUp(with channel: Channel) async throws(BroadcastError) {}

  package func close() async {}

  package func subscribe(to pattern: ChannelPattern) async throws(BroadcastError) { throw .patternsUnsupported }
  package func unsubscribe(from pattern: ChannelPattern) async throws(BroadcastError) { throw .patternsUnsupported }

  /// Waits until the task is cancelled, as the hub's calls are when their session has ended.
  ///
  /// For calls that failed with the session: were they to throw before the hub knows of its end, each would be taken for a
  /// failure of that one channel.
  package func untilCancelled() async {
    let (never, source) = AsyncStream.makeStream(of: Never.self)
    for await _ in never {}
    withExtendedLifetime(source) {}
  }
}
