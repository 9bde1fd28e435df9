//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
import BroadcastingNetwork
public import BroadcastingWeb

/// The messages of some channels on their way to one socket. Made by ``Request/subscribe(to:)`` or
/// ``Request/subscribe(to:from:positions:)``.
public final class SocketFeed: Sendable {
  private let member: Member

  init(_ member: Member) { self.member = member }

  // Whoever drops it without delivering, or is done with it, is no subscriber any more.
  deinit {
    member.fanOut.loop.execute { [member] in member.fanOut.assumeIsolated { $0.leave(member) } }
  }

  /// What became of the start, for a channel of ``Request/subscribe(to:from:positions:)``. Nil for others.
  public func recovery(of channel: Channel) -> Recovery? { member.opening?.recoveries[channel] }

  /// Whether nothing is missing of what was asked for, in any of the channels.
  public var recovered: Bool { member.opening?.recoveries.values.allSatisfy(\.isComplete) ?? true }

  /// Sends each message as one frame, text as text and binary as binary, until the task is cancelled or the socket
  /// must go. Run it in a race with whoever receives: ``runUntilFirstCompletes(_:_:)``.
  ///
  /// It returns when the connection has ended. A receiver that still works on its last message then has until it asks for
  /// the next one, or the close timeout (8 s) has passed: so a race does not break off what is being published.
  ///
  /// What the start asks for of the past comes first. It is no part of the server's limits; what is published meanwhile is.
  ///
  /// A socket that is slow waits, without holding up others, until it is further behind than the server's limits.
  ///
  /// To be called once, with the socket that the request became, which takes one feed: subscribe to all of its channels
  /// at once.
  ///
  /// - Throws: `WebSocketClosure`, by which the socket is to be closed: 4000 when it missed messages (it was too far
  ///   behind, or the broker was away), 1001 when the server stops, 1011 for another's socket, a second feed or a second call.
  public func deliver(to socket: WebSocket) async throws(WebSocketClosure) {
    try await member.fanOut.deliver(member, to: socket)
  }

  /// The same for a live resource. Nil is a normal end.
  func deliverLive(to socket: WebSocket) async -> (any Error)? {
    do {
      try await member.fanOut.deliverLive(member, to: socket)
      return nil
    } catch {
      return error
    }
  }

  /// How the socket has to be closed, when its handler ended before it was told so: the client misses messages also where
  /// the server stops, or the client says something, before the time has come to close it for that.
  //
  // Not `async`: that would make the frame larger which sleeps with every socket, by a kilobyte. The endpoint's handler runs
  // on the loop, where no other can be: whoever asks from elsewhere has no closure pending.
  func pendingClosure() -> WebSocketClosure? {
    let fanOut = member.fanOut
    return fanOut.loop.isCurrent ? fanOut.assumeIsolated { $0.closure(of: member) } : nil
  }
}
