//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingWeb

/// How sockets are told that they have to go: at once, or after the broker was away spread over some time, so that their
/// clients do not all come back in the same moment.
extension FanOut {
  /// How exactly the spread is kept.
  private static let tick = Duration.milliseconds(50)

  static func makeSpreadQueue(over spread: Duration) -> SpreadQueue<Member> {
    let ticks = spread / tick
    return SpreadQueue(ticks: ticks < 1_000_000 ? Int(ticks.rounded(.up)) : 1_000_000)
  }

  func closure(of member: Member) -> WebSocketClosure? { member.closure }

  /// Closes a socket now.
  func close(_ member: Member, _ closure: WebSocketClosure) {
    member.closure = closure
    member.updateDirectOutlet()
    member.sleeper.take()?.resume()
  }

  /// Closes a socket that has read up to the end of a feed.
  func close(_ member: Member, atEndOf feed: FrameFeed) {
    guard let closure = feed.closure, member.closure == nil else { return }
    guard feed.endsForAll, spread > .zero, startTicking() else { return close(member, closure) }
    // From here on it gets nothing more, of its other channels neither. Only the close frame waits.
    member.closure = closure
    member.closesLater = true
    member.updateDirectOutlet()
    closing.add(member)
  }

  /// One timer for all who wait, while somebody does. False where there is none to be had.
  private func startTicking() -> Bool {
    if closingTimer?.isClosed == false { return true }
    guard let timer = try? LoopTimer(on: loop) else { return false }
    closingTimer = timer
    timer.start(after: Self.tick, every: Self.tick) { self.assumeIsolated { $0.closeDue() } }
    return true
  }

  private func closeDue() {
    for member in closing.tick() {
      member.closesLater = false
      member.sleeper.take()?.resume()
    }
    // Those who have gone by themselves are among the others until their tick.
    if closing.count == 0 { closingTimer.take()?.close() }
  }
}
