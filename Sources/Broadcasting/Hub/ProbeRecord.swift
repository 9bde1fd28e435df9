//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How long probes of a connection take, and when that is worth telling. A machine that does nothing itself.
struct ProbeRecord: Sendable {
  /// A probe that takes longer is slow.
  static let slow = Duration.seconds(1)

  /// Nil while none has come back.
  private(set) var delay: Duration?
  private var hasTold = false

  /// A probe has come back. Returns whether that has to be told: not again until one was less than half as slow, so that a
  /// broker at the edge is not told of for ever.
  mutating func arrived(after delay: Duration) -> Bool {
    self.delay = delay
    if delay < Self.slow / 2 { hasTold = false }
    guard delay > Self.slow, !hasTold else { return false }
    hasTold = true
    return true
  }

  /// The connection is gone: what was measured in it says nothing of the next.
  mutating func forgetDelay() { delay = nil }
}
