//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What `brokers`, `c-redis`, `c-postgres` and `c-kafka` print.
struct BrokerRun: Decodable {
  var messages: Int
  var seconds: Double
  var cpuSeconds: Double
  var p50: Double?
  var p99: Double?

  var messagesPerSecond: Double { Double(messages) / seconds }
  var cpuMicrosecondsPerMessage: Double { cpuSeconds * 1e6 / Double(messages) }
}

/// The runs over one broker, in rounds: in each of them every way had its turn, so that what disturbs the machine
/// disturbs all.
struct BrokerMeasurements {
  var broker: Broker
  var runs: [BrokerWay: [BrokerRun]] = [:]

  var name: String { broker.rawValue }

  func values(_ way: BrokerWay, _ number: (BrokerRun) -> Double?) -> [Double] {
    (runs[way] ?? []).compactMap(number)
  }

  /// A number of one way divided by that of another, in each round.
  func ratios(_ way: BrokerWay, to other: BrokerWay, _ number: (BrokerRun) -> Double?) -> [Double] {
    zip(values(way, number), values(other, number)).map { $0 / $1 }
  }
}

extension [Double] {
  var median: Double? {
    if isEmpty { return nil }
    let values = sorted()
    return (values[(count - 1) / 2] + values[count / 2]) / 2
  }
}
