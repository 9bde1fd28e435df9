//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Finds which part of a refused transaction is at fault, where nobody but the database knows: a half of it goes first, then
/// the rest, and what is refused again is halved again. One that is at fault among n costs about 2 · log₂(n) transactions.
///
/// It only limits what the next transactions hold. So it does no harm when something of a refused one is no longer wanted.
struct Bisection {
  /// How many go together, the next ones last.
  private var groups: [Int] = []

  var isUnderWay: Bool { !groups.isEmpty }

  /// How many go in the next transaction at most.
  var limit: Int { groups.last ?? .max }

  /// What is to be done for the next `count` is done.
  mutating func advance(by count: Int) {
    guard let group = groups.popLast() else { return }
    if group > count { groups.append(group - count) }
  }

  /// The next `count` were refused together, and are sent again.
  mutating func split(_ count: Int) {
    advance(by: count)
    if count > 1 { groups.append(count / 2) }
    groups.append(count - count / 2)
  }
}
