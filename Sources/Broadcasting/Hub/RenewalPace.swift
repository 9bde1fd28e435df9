//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// When a channel whose subscription the broker ended, or whose renewal it refused, is asked for again.
struct RenewalPace: Sendable {
  /// Whether somebody waits for the time already. There is one for a channel, however often it is asked for meanwhile.
  var isPlanned = false
  private var backoff: Backoff?
  private var renewed: ContinuousClock.Instant?

  /// The pause before the next attempt; nil where one is planned already. What may soon work is tried again after a short
  /// while, what was refused after the longest; each is spread, since all channels may have been refused at once.
  mutating func plan(after error: BroadcastError, _ configuration: HubConfiguration) -> Duration? {
    if isPlanned { return nil }
    isPlanned = true
    // A broker that confirms only to end it at once is no reason to come back faster.
    if let renewed, ContinuousClock.now - renewed > configuration.longestReconnectDelay { backoff = nil }
    renewed = nil
    // A broker that has refused is not asked in a loop, also where reconnecting may not wait at all.
    guard error.isRetriable else { return Backoff.spread(max(.milliseconds(2), configuration.longestReconnectDelay)) }
    var backoff =
      self.backoff
      ?? Backoff(shortest: configuration.shortestReconnectDelay, longest: configuration.longestReconnectDelay)
    defer { self.backoff = backoff }
    return backoff.next()
  }

  mutating func succeeded() { renewed = .now }
}
