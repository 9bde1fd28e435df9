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
  static func goals(of measurements: BrokerMeasurements) -> [BrokerGoal] {
    wanted(of: measurements.broker).map { wanted in
      let reference = measurements.broker.reference(of: wanted.way)
      let ratios = reference.map { measurements.ratios(wanted.way, to: $0, wanted.number) } ?? []
      return BrokerGoal(
        what: "\(measurements.name): \(wanted.what)", limit: wanted.limit, measured: ratios.median ?? .nan)
    }
  }

  private struct Wanted {
    var what: String
    var way: BrokerWay
    var limit: Limit
    var number: (BrokerRun) -> Double?

    static func rate(_ way: BrokerWay, atLeast limit: Double) -> Wanted {
      Wanted(what: "messages/s, \(pace(of: way))", way: way, limit: .atLeast(limit), number: \.messagesPerSecond)
    }

    static func cpu(_ way: BrokerWay, atMost limit: Double) -> Wanted {
      Wanted(what: "CPU, \(pace(of: way))", way: way, limit: .atMost(limit), number: \.cpuMicrosecondsPerMessage)
    }

    static func roundTrip(_ way: BrokerWay, atMost limit: Double) -> Wanted {
      Wanted(what: "p50 of a round trip", way: way, limit: .atMost(limit), number: \.p50)
    }

    private static func pace(of way: BrokerWay) -> String { way == .poolOne ? "one at a time" : "64 at a time" }
  }

  private static func wanted(of broker: Broker) -> [Wanted] {
    switch broker {
    case .redis:
      [
        .rate(.poolOne, atLeast: 0.4), .rate(.poolMany, atLeast: 1),
        .cpu(.poolOne, atMost: 6), .cpu(.poolMany, atMost: 3),
      ]
    case .postgres:
      [
        .rate(.poolOne, atLeast: 12), .rate(.poolMany, atLeast: 1),
        .cpu(.poolOne, atMost: 1), .cpu(.poolMany, atMost: 1),
      ]
    case .kafka:
      [
        .rate(.poolOne, atLeast: 0.6), .rate(.poolMany, atLeast: 0.6),
        .cpu(.poolOne, atMost: 3), .cpu(.poolMany, atMost: 3), .roundTrip(.poolRoundTrip, atMost: 2),
      ]
    }
  }
}
