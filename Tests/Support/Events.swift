//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
import BroadcastingLocking

/// What a backend told, and when.
package final class Events: Sendable {
  private let events = Lock([(time: ContinuousClock.Instant, event: BroadcastEvent)]())

  package init() {}

  package var all: [BroadcastEvent] { events.withLock { $0.map(\.event) } }

  package func append(_ event: BroadcastEvent) { events.withLock { $0.append((.now, event)) } }

  /// How many of a kind came.
  package func count(_ kind: BroadcastEvent.Kind) -> Int { all.count { $0.kind == kind } }

  /// How many of a kind came since `start`.
  package func count(_ kind: BroadcastEvent.Kind, since start: ContinuousClock.Instant) -> Int {
    events.withLock { $0.count { $0.time >= start && $0.event.kind == kind } }
  }

  /// The sum of the counts of a kind since `start`: one event may stand for many.
  package func total(_ kind: BroadcastEvent.Kind, since start: ContinuousClock.Instant) -> Int {
    events.withLock { seen in
      seen.reduce(0) { $1.time >= start && $1.event.kind == kind ? $0 + ($1.event.count ?? 1) : $0 }
    }
  }

  /// For who reads why a test failed.
  package func transcript(since start: ContinuousClock.Instant) -> String {
    events.withLock { $0.suffix(60).map { "\($0.time - start) \($0.event)" }.joined(separator: "\n") }
  }
}
