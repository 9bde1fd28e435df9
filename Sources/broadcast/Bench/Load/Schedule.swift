//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// When messages are published.
///
/// Closed: the next one as soon as fewer than so many are under way, so that a slower server gets fewer. Open: by the
/// clock, whatever the server does; a message that goes out late counts from when it was due, so that a server that
/// stands still can't hide it.
struct Schedule: Hashable, Sendable {
  enum Pace: Hashable, Sendable {
    case closed(inFlight: Int)
    case open(perSecond: Int)
  }

  enum Decision: Hashable, Sendable {
    /// Publish now, with this stamp.
    case publish(stamp: UInt64)
    /// Nothing is due before this time.
    case wait(until: UInt64)
    /// Nothing to do until a message is done.
    case hold
  }

  let pace: Pace
  /// When it began, in nanoseconds.
  let start: UInt64

  /// - Parameters:
  ///   - index: How many were published by this schedule.
  ///   - underWay: How many are unfinished, whoever published them.
  func decide(index: Int, underWay: Int, now: UInt64) -> Decision {
    switch pace {
    case .closed(let inFlight):
      return underWay < inFlight ? .publish(stamp: now) : .hold
    case .open(let perSecond):
      let due = due(index, perSecond)
      return due <= now ? .publish(stamp: due) : .wait(until: due)
    }
  }

  /// In whole seconds and a rest, so that nothing is lost however long it lasts.
  private func due(_ index: Int, _ perSecond: Int) -> UInt64 {
    let (seconds, rest) = index.quotientAndRemainder(dividingBy: perSecond)
    return start + UInt64(seconds) * 1_000_000_000 + UInt64(rest) * 1_000_000_000 / UInt64(perSecond)
  }
}
