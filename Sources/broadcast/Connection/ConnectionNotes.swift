//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What to tell the user of what happens between the command and its target.
struct ConnectionNotes {
  private var wasConnected = false
  private var isAway = false
  /// A loss was told, or that its end takes longer, and not yet that it is over: what follows says more of the same.
  private var hasToldLoss = false
  private var hasToldUnrecorded = false
  /// The reason that was told last, so that trying again and again for the same reason is told once.
  private var lastReason: String?

  /// A line; nil for what is not worth one.
  mutating func line(for event: BroadcastEvent) -> String? {
    switch event.kind {
    case .running, .connected:
      defer { (wasConnected, isAway, hasToldLoss, lastReason) = (true, false, false, nil) }
      return isAway ? "connected" + (wasConnected ? " again" : "") : nil
    case .resubscribed:
      // Channels that were lost one by one, while the server stayed in reach.
      defer { (hasToldLoss, lastReason) = (false, nil) }
      return hasToldLoss ? "connected again" : nil
    case .connectionLost:
      guard let error = event.error else { return nil }
      if event.channel == nil, event.pattern == nil { isAway = true }
      // With a server all its channels are lost, each with an event of its own.
      let prefix = hasToldLoss ? "" : "connection lost: "
      hasToldLoss = true
      return line(prefix, error)
    case .retrying, .refused:
      guard let error = event.error else { return nil }
      if event.channel == nil, event.pattern == nil { isAway = true }
      let line = line(event.channel.map { "\($0): " } ?? "", error)
      // Told of many channels together, it may come after some of them are back.
      if line != nil, event.kind == .retrying { hasToldLoss = true }
      return line
    case .unrecorded:
      guard let channel = event.channel, !hasToldUnrecorded else { return nil }
      hasToldUnrecorded = true
      return "\(channel): another program publishes here without keeping its messages in the history"
    case .presenceRefilled:
      guard let count = event.count, count > 0 else { return nil }
      return "told who is present again: \(count) \(count == 1 ? "member" : "members")"
    default: return nil
    }
  }

  /// The same for a call that failed, and is made again.
  mutating func line(forFailed error: BroadcastError) -> String? { line("", error) }

  private mutating func line(_ prefix: String, _ error: BroadcastError) -> String? {
    let text = Failure(error).message
    // Without its numbers: one that counts down is the same reason.
    let reason = text.filter { !$0.isNumber }
    if reason == lastReason { return nil }
    lastReason = reason
    return prefix + (text.hasSuffix(".") ? text.dropLast() : text[...]) + "; trying again"
  }
}
