//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// The limit of all logs together, and a clock by which their segments know which one is older.
///
/// Whoever owns logs adds what they hold. Whoever appends and finds the budget overdrawn frees the oldest segments of its
/// own logs, so nobody has to reach into what another thread owns.
package final class MemoryBudget: Sendable {
  package static let defaultLimit = 256 * 1_024 * 1_024

  package let limit: Int
  private let held = Atomic<Int>(0)
  private let clock = Atomic<Int>(0)

  package init(limit: Int = defaultLimit) { self.limit = max(0, limit) }

  package var heldBytes: Int { held.load(ordering: .relaxed) }

  /// The age of a segment that begins now.
  package func tick() -> Int { clock.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Adds what a log gained, or lost. Returns whether the limit is exceeded now.
  @discardableResult
  package func add(_ bytes: Int) -> Bool { held.wrappingAdd(bytes, ordering: .relaxed).newValue > limit }

  package var isExceeded: Bool { heldBytes > limit }

  /// The age up to which segments have to go. It frees an eighth of the limit beyond what is needed, so that looking
  /// through all segments is paid for by many appends.
  ///
  /// The newest stay, even alone above the limit: what was appended last has not been seen by anybody, also not by those
  /// who keep up.
  package func ageToDrop(among segments: [(age: Int, bytes: Int)]) -> Int? {
    var excess = heldBytes - (limit - limit / 8)
    guard excess > 0 else { return nil }
    let newest = segments.lazy.map(\.age).max()
    var age: Int?
    for segment in segments.sorted(by: { $0.age < $1.age }) where excess > 0 && segment.age != newest {
      excess -= segment.bytes
      age = segment.age
    }
    return age
  }
}
