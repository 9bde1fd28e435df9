//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
package import BroadcastingNetwork

/// A backend's way to its broker: an actor on an event loop, which lives as long as the broadcast's `run()` and serves one
/// session after the other.
///
/// Its calls are those of a `BroadcastDriver`. All but `publish` come in tasks that prefer the loop.
package protocol BrokerConnection: Actor {
  nonisolated var loop: EventLoop { get }

  /// One session: connects, tells the inbox, and stays until the connection is lost or the task is cancelled. When it
  /// returns nothing of the session is open, and all calls under way have thrown or are about to.
  func run(_ inbox: DriverInbox) async throws(BroadcastError)

  func subscribe(to channel: Channel) async throws(BroadcastError)
  func unsubscribe(from channel: Channel) async throws(BroadcastError)
  func subscribe(to pattern: ChannelPattern) async throws(BroadcastError)
  func unsubscribe(from pattern: ChannelPattern) async throws(BroadcastError)

  /// Comes on any thread: a hop to the loop for each message would cost more than all else. Not called where the driver has
  /// the connection's mailbox.
  nonisolated func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt]

  /// The broadcast's `run()` is over, and no session will follow.
  func close() async
}

extension BrokerConnection {
  package func subscribe(to pattern: ChannelPattern) async throws(BroadcastError) { throw .patternsUnsupported }
  package func unsubscribe(from pattern: ChannelPattern) async throws(BroadcastError) { throw .patternsUnsupported }

  /// For a connection whose driver has its mailbox, so that this is never called.
  package nonisolated func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    throw BroadcastError(.notRunning, "This connection publishes by its mailbox alone.", outcome: .notSent)
  }

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
