//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Pauses between attempts: each up to twice the one before, and each at random in its upper half, so that the many who
/// lost one broker do not come back to it at the same moment.
package struct Backoff: Sendable {
  private let shortest: Duration
  private let longest: Duration
  private var current: Duration

  package init(shortest: Duration, longest: Duration) {
    self.shortest = shortest
    self.longest = max(shortest, longest)
    current = shortest
  }

  package mutating func next() -> Duration {
    var random = SystemRandomNumberGenerator()
    return next(using: &random)
  }

  mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
    defer { current = min(current * 2, longest) }
    return Self.spread(current, using: &random)
  }

  /// A pause at random in the upper half of the one given.
  static func spread(_ pause: Duration) -> Duration {
    var random = SystemRandomNumberGenerator()
    return spread(pause, using: &random)
  }

  private static func spread(_ pause: Duration, using random: inout some RandomNumberGenerator) -> Duration {
    pause * Double.random(in: 0.5...1, using: &random)
  }

  mutating func reset() { current = shortest }
}
