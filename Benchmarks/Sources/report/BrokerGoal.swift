//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What is wanted of a broker's backend, as a ratio to the C program on the same broker in the same round.
struct BrokerGoal {
  enum Limit {
    case atLeast(Double)
    case atMost(Double)
  }

  var what: String
  var limit: Limit
  var measured: Double

  var isReached: Bool { isReached(allowing: 1) }

  /// Whether it is reached but for a factor of two: how busy the machine is moves the ratios by more than a half, also since
  /// a C program that never goes idle costs less. It finds what has become slow, not what is slow.
  var isNearlyReached: Bool { isReached(allowing: 2) }

  private func isReached(allowing slack: Double) -> Bool {
    switch limit {
    case .atLeast(let limit): measured >= limit / slack
    case .atMost(let limit): measured <= limit * slack
    }
  }

  var wanted: String {
    switch limit {
    case .atLeast(let limit): "at least \(Numbers.fixed(limit, 1))"
    case .atMost(let limit): "at most \(Numbers.fixed(limit, 1))"
    }
  }

  /// Those of a broker; one that was not measured is not reached.
  static func goals(of broker: BrokerMeasurements) -> [BrokerGoal] {
    let isPostgres = broker.runs[.cOne] != nil
    func goal(_ what: String, _ way: BrokerWay, _ limit: Limit, _ number: (BrokerRun) -> Double) -> BrokerGoal {
      let ratios = broker.ratios(way, to: broker.reference(of: way) ?? way, number)
      return BrokerGoal(what: "\(broker.name): \(what)", limit: limit, measured: ratios.median ?? .nan)
    }
    return [
      goal("messages/s, one at a time", .poolOne, .atLeast(isPostgres ? 12 : 0.4), \.messagesPerSecond),
      goal("messages/s, 64 at a time", .poolMany, .atLeast(1), \.messagesPerSecond),
      goal("CPU, one at a time", .poolOne, .atMost(isPostgres ? 1 : 6), \.cpuMicrosecondsPerMessage),
      goal("CPU, 64 at a time", .poolMany, .atMost(isPostgres ? 1 : 3), \.cpuMicrosecondsPerMessage),
    ]
  }
}
