//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How often something may be done: so many times at once, and again after a while. It has no clock of its own.
struct RateLimit {
  private let capacity: Double
  private let interval: Duration
  private var used = 0.0
  private var last: ContinuousClock.Instant?

  /// - Parameters:
  ///   - count: How often in each interval, and how often at once.
  ///   - interval: More than zero.
  init(_ count: Int, in interval: Duration) {
    capacity = Double(count)
    self.interval = interval
  }

  /// Takes one. Returns nil, or after how long there will be one.
  mutating func take(at now: ContinuousClock.Instant) -> Duration? {
    if let last { used = max(0, used - capacity * (last.duration(to: now) / interval)) }
    last = now
    guard used + 1 > capacity else {
      used += 1
      return nil
    }
    return interval * ((used + 1 - capacity) / capacity)
  }
}

/// What one socket may do, with the answer to who does more.
struct SocketLimits {
  private var messages = RateLimit(10, in: .seconds(5))
  private var typing = RateLimit(1, in: .seconds(1))
  private var refusals = RateLimit(50, in: .seconds(10))

  mutating func check(_ frame: ClientFrame, at now: ContinuousClock.Instant) throws(Refusal) {
    switch frame {
    case .say:
      guard let wait = messages.take(at: now) else { return }
      throw Refusal("too_fast", "At most 10 messages in 5 s. This one was not said.", retryAfter: wait.milliseconds)
    case .typing:
      guard let wait = typing.take(at: now) else { return }
      throw Refusal("too_fast", "At most one sign of typing a second.", retryAfter: wait.milliseconds)
    }
  }

  /// Counts a refusal. False for who does not listen to them.
  mutating func mayGoOn(at now: ContinuousClock.Instant) -> Bool { refusals.take(at: now) == nil }
}

extension Duration {
  /// Rounded up.
  fileprivate var milliseconds: Int { Int((self / .milliseconds(1)).rounded(.up)) }
}
