//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import BroadcastingNetwork

/// When a connection is probed, and when it counts as dead. A machine that does nothing itself.
///
/// A probe is a message that goes the way of all others: published on a channel of its own, and expected where the
/// subscriptions are. So it finds a half-open connection as well as one that answers but no longer delivers. A busy
/// connection may take longer than a probe has time, since that waits in line: as long as both ways show life it is given
/// more. Life is no proof, for a connection may bring all but messages: a dead one is noticed within 10 s, whatever it shows.
/// Messages are a proof: while they come, and the broker has answered since the probe was sent, that may be far behind them.
package struct ProbeSchedule {
  package enum Step: Equatable {
    case wait(until: LoopInstant)
    /// Publish the probe with this number.
    case probe(UInt64)
    /// The connection is dead.
    case dead
    /// It delivers, and so slowly that no probe gets through in time.
    case slow
  }

  package static let interval = Duration.seconds(3)
  package static let patience = Duration.seconds(5)
  /// The longest that a probe may take on a connection which shows life. With the interval before it that is 9.5 s.
  package static let greatestPatience = Duration.milliseconds(6_500)
  /// The longest that a probe may take on a connection which delivers messages.
  package static let deliveringPatience = Duration.seconds(30)

  private let interval: Duration
  private let patience: Duration
  private let greatestPatience: Duration
  private let deliveringPatience: Duration
  private var number: UInt64 = 0
  private var next: LoopInstant
  private var sent: LoopInstant?
  private var lastListening: LoopInstant
  private var lastPublishing: LoopInstant
  /// Since the probe was sent.
  private var lastDelivery: LoopInstant?
  private var hasAnswered = false

  /// The first probe is due at once.
  package init(
    now: LoopInstant, interval: Duration = Self.interval, patience: Duration = Self.patience,
    greatestPatience: Duration = Self.greatestPatience, deliveringPatience: Duration = Self.deliveringPatience
  ) {
    self.interval = interval
    self.patience = patience
    self.greatestPatience = greatestPatience
    self.deliveringPatience = deliveringPatience
    next = now
    lastListening = now
    lastPublishing = now
  }

  /// Bytes came on the way by which messages arrive.
  package mutating func heardListening(now: LoopInstant) { lastListening = now }

  /// The broker answered on the way by which messages are published.
  package mutating func heardPublishing(now: LoopInstant) {
    lastPublishing = now
    hasAnswered = true
  }

  /// Messages of subscriptions came.
  package mutating func delivered(now: LoopInstant) { lastDelivery = now }

  /// What is due now. Call it again at the time that it says.
  package mutating func step(now: LoopInstant) -> Step {
    guard let sent else {
      guard next <= now else { return .wait(until: next) }
      number += 1
      sent = now
      lastDelivery = nil
      hasAnswered = false
      return .probe(number)
    }
    let lastLife = max(sent, min(lastListening, lastPublishing))
    var deadline = min(lastLife + patience, sent + greatestPatience)
    var end = Step.dead
    if hasAnswered, let lastDelivery {
      deadline = max(deadline, min(lastDelivery + patience, sent + deliveringPatience))
      if lastDelivery + patience > sent + deliveringPatience { end = .slow }
    }
    return deadline <= now ? end : .wait(until: deadline)
  }

  /// A probe arrived. Returns how long it took, or nil for one that is not expected.
  package mutating func arrived(_ number: UInt64, now: LoopInstant) -> Duration? {
    guard let sent, number == self.number else { return nil }
    self.sent = nil
    next = max(now, sent + interval)
    return now - sent
  }
}
