//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Counts messages that are left out, and says when to tell of them: with the first, and again whenever their number has doubled.
struct LeftOutMessages {
  private var count = 0
  private var nextTold = 1

  /// One more. Returns how many there are so far, where that is to be told.
  mutating func add() -> Int? {
    count += 1
    guard count == nextTold else { return nil }
    nextTold *= 2
    return count
  }
}
