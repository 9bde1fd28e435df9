//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

/// Times that are promised, and what a busy machine may add to them.
enum Promised {
  static let slack = Duration.seconds(3)
  /// While the broker is away, what is asked for fails within this.
  static let failing = Duration.seconds(2) + slack
  /// A line that is dead without a word is noticed within this.
  static let noticing = Duration.seconds(10) + slack
  /// All is well within this, once the broker is back.
  static let recovering = Duration.seconds(5) + slack
}

struct TooLate: Error, CustomStringConvertible {
  var description: String
}

/// Returns once it has come so far, and throws when that takes longer than `limit`. It looks again and again, for what
/// nobody tells.
func wait(
  for what: String, within limit: Duration = .seconds(30), until isReached: () async throws -> Bool
) async throws {
  let start = ContinuousClock.now
  while !(try await isReached()) {
    guard ContinuousClock.now - start < limit else { throw TooLate(description: "\(what) took longer than \(limit)") }
    try await Task.sleep(for: .milliseconds(3))
  }
}
