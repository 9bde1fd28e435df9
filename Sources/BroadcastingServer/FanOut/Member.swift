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
  /// One of its channels.
  struct Place {
    let feed: FrameFeed
    /// Where it stands among the feed's readers. Nil while it is a newcomer.
    var index: Int?
  }

  let fanOut: FanOut
  var places: [Place] = []
  /// Where among its places the next look for messages begins.
  var turn = 0

  /// What it gets before what is published, for one that asked for more than that.
  let opening: Opening?

  /// The state of the live resource that it follows, if it does.
  let live: LiveReader?

  /// Its socket's way out. Nil until its handler delivers to it.
  var outlet: WebSocketTransport?

  /// Whether its socket is full, so that it waits in the log.
  // Those that are true or false side by side: elsewhere each would take eight bytes of every socket.
  var isWaiting = false
  /// Whether its socket is closed by a tick that is still to come.
  var closesLater = false
  /// Whether it is out, for good.
  var hasLeft = false

  /// Why it has to go. Once set it gets nothing more.
  var closure: WebSocketClosure?
  var sleeper: UnsafeContinuation<Void, Never>?

  init(_ fanOut: FanOut, _ opening: Opening? = nil, live: LiveReader? = nil) {
    self.fanOut = fanOut
    self.opening = opening
    self.live = live
  }

  func socketDrained() { fanOut.assumeIsolated { $0.drained(self) } }

  func socketEnded() { fanOut.assumeIsolated { _ in sleeper.take()?.resume() } }

  var mustCloseNow: Bool { closure != nil && !closesLater }

  func setIndex(_ index: Int?, in feed: FrameFeed) {
    if let place = places.firstIndex(where: { $0.feed === feed }) { places[place].index = index }
  }

  /// Whether it is further behind than its limits allow.
  func isBehind(_ limits: LogLimits) -> Bool {
    places.contains { place in
      guard let index = place.index else { return false }
      return place.feed.log.isBehind(place.feed.readers[index].cursor, limits)
    }
  }

  /// A sweep may write to its socket directly while it has one channel, whose messages are then all that is at hand for
  /// it, and while its socket takes something.
  func updateDirectOutlet() {
    guard places.count == 1, let index = places[0].index else { return }
    let isDirect = !isWaiting && closure == nil && !hasLeft && opening?.isOut != false && live?.hasFrames != true
    places[0].feed.readers[index].directOutlet = isDirect ? outlet : nil
  }
}
