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
  func next() -> Int { add(1) }

  /// The same, for several at once.
  @discardableResult
  func add(_ number: Int) -> Int { count.add(number, ordering: .sequentiallyConsistent).oldValue }
}
