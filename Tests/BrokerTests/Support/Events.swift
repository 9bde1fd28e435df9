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

  /// The sum of the counts of a kind since `start`.
  func total(_ kind: BroadcastEvent.Kind, since start: ContinuousClock.Instant) -> Int {
    events.withLock { $0.reduce(0) { $1.0 >= start && $1.1.kind == kind ? $0 + ($1.1.count ?? 1) : $0 } }
  }

  /// For who reads why a test failed.
  func transcript(since start: ContinuousClock.Instant) -> String {
    events.withLock { $0.suffix(60).map { "\($0.0 - start) \($0.1)" }.joined(separator: "\n") }
  }
}
