//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// Counts, for several tasks.
final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  var value: Int { count.load(ordering: .sequentiallyConsistent) }

  /// The number before, which nobody else gets.
  @discardableResult
  func next() -> Int { count.add(1, ordering: .sequentiallyConsistent).oldValue }
}
