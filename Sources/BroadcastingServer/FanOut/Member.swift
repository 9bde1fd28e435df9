//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// A socket in the fan-out, or one that is still to come.
// Sendable: others only hold it. All that it has is touched by its fan-out alone, inside that actor; `socketDrained`,
// which the socket calls, asserts so.
final class Member: WebSocketObserver, @unchecked Sendable {
  /// Where it is in one of its channels.
  struct Place {
    let feed: FrameFeed
    /// Nil while it is a newcomer.
    var cursor: SegmentLog<FrameBatch>.Cursor?
    /// Its own index among the feed's members.
    var index = 0
  }

  let fanOut: FanOut
  var places: [Place] = []
  /// Where among its places the next look for messages begins.
  var turn = 0

  /// Nil until its handler delivers to it.
  var socket: WebSocket?

  /// Whether its socket is full, so that it waits in the log.
  var isWaiting = false

  /// Why it has to go.
  var closure: WebSocketClosure?
  var sleeper: UnsafeContinuation<Void, Never>?

  /// Whether it is out, for good.
  var hasLeft = false

  init(_ fanOut: FanOut) { self.fanOut = fanOut }

  func socketDrained() { fanOut.assumeIsolated { $0.drained(self) } }

  func socketEnded() { fanOut.assumeIsolated { _ in sleeper.take()?.resume() } }
}

extension [Member.Place] {
  mutating func removeValue(of feed: FrameFeed) -> Member.Place? {
    firstIndex { $0.feed === feed }.map { remove(at: $0) }
  }

  mutating func admit(to feed: FrameFeed, at cursor: SegmentLog<FrameBatch>.Cursor, index: Int) {
    guard let place = firstIndex(where: { $0.feed === feed }) else { return }
    self[place].cursor = cursor
    self[place].index = index
  }

  mutating func setIndex(_ index: Int, in feed: FrameFeed) {
    if let place = firstIndex(where: { $0.feed === feed }) { self[place].index = index }
  }
}
