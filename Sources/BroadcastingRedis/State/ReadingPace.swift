//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// Whether much has been arriving lately: a server cuts a subscriber that takes less than there is for it.
struct ReadingPace {
  /// So many bytes in a second are much.
  private static let much = 1_024 * 1_024
  private static let span = Duration.seconds(1)

  private var start: LoopInstant
  private var bytes = 0
  private var bytesBefore = 0

  init(now: LoopInstant) { start = now }

  mutating func read(_ count: Int, now: LoopInstant) {
    advance(now)
    bytes += count
  }

  func isBusy(now: LoopInstant) -> Bool {
    var pace = self
    pace.advance(now)
    return max(pace.bytes, pace.bytesBefore) >= Self.much
  }

  /// This second's bytes become those of the one before.
  private mutating func advance(_ now: LoopInstant) {
    let age = now - start
    guard age >= Self.span else { return }
    bytesBefore = age >= Self.span * 2 ? 0 : bytes
    bytes = 0
    start = now
  }
}
