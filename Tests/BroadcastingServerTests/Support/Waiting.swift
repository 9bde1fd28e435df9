//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// Returns once the server has come so far. The test's time limit is the limit of this.
///
/// It looks again and again, for what nobody tells: memory that was given back, counts of the statistics.
func settle(_ isReached: () async -> Bool) async {
  while !Task.isCancelled, await !isReached() { try? await Task.sleep(for: .milliseconds(1)) }
}

/// Counts, for several tasks.
final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  var value: Int { count.load(ordering: .sequentiallyConsistent) }

  /// The number before, which nobody else gets.
  @discardableResult
  func next() -> Int { count.add(1, ordering: .sequentiallyConsistent).oldValue }
}
