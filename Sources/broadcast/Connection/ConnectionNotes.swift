//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What to tell the user of what happens between the command and its target.
struct ConnectionNotes {
  private var wasConnected = false
  private var isAway = false
  /// The reason that was told last, so that trying again and again for the same reason is told once.
  private var lastReason: String?

  /// A line; nil for what is not worth one.
  mutating func line(for event: BroadcastEvent) -> String? {
    switch event.kind {
    case .running, .connected:
      defer { (wasConnected, isAway, lastReason) = (true, false, nil) }
      return isAway ? "connected" + (wasConnected ? " again" : "") : nil
    case .connectionLost, .retrying, .refused:
      guard let error = event.error else { return nil }
      let isLoss = event.kind == .connectionLost
      let reason = Failure(error).message
      let line =
        (event.channel.map { "\($0): " } ?? "") + (isLoss ? "connection lost: " : "")
        + (reason.hasSuffix(".") ? reason.dropLast() : reason[...]) + "; trying again"
      defer { lastReason = reason }
      if event.channel == nil { isAway = true }
      // Each loss is news.
      return isLoss || reason != lastReason ? line : nil
    default: return nil
    }
  }
}
