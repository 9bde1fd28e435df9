//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The time for which a server wants to be left alone. By a clock that goes on while the machine sleeps.
struct ServerPause {
  /// When the server's own time is over.
  private var wish: ContinuousClock.Instant?
  private var end: ContinuousClock.Instant?
  private(set) var refusal = ServerRefusal(status: 503)

  /// A later answer may make it longer, never shorter: an answer that was under way is no permission.
  ///
  /// The server tells all clients the same, so each stays away for a random while longer.
  mutating func begin(_ refusal: ServerRefusal, now: ContinuousClock.Instant) {
    guard let pause = refusal.retryAfter, pause > .zero else { return }
    let new = now + pause
    if let wish, wish > new { return }
    wish = new
    end = new + max(pause / 10, .milliseconds(500)) * Double.random(in: 0...1)
    self.refusal = refusal
  }

  /// What is left of it, or nil.
  func left(now: ContinuousClock.Instant) -> Duration? {
    guard let end, end > now else { return nil }
    return end - now
  }
}
