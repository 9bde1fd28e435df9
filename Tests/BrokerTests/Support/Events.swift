//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking

/// What a broadcast told of itself, and when.
final class Events: Sendable {
  private let events = Lock([(ContinuousClock.Instant, BroadcastEvent)]())

  func append(_ event: BroadcastEvent) { events.withLock { $0.append((.now, event)) } }

  /// How many of a kind came since `start`.
  func count(_ kind: BroadcastEvent.Kind, since start: ContinuousClock.Instant) -> Int {
    events.withLock { $0.count { $0.0 >= start && $0.1.kind == kind } }
  }

  /// For who reads why a test failed.
  func transcript(since start: ContinuousClock.Instant) -> String {
    events.withLock { $0.suffix(60).map { "\($0.0 - start) \($0.1)" }.joined(separator: "\n") }
  }
}
