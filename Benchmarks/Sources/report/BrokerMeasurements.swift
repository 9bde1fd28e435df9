//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What `brokers`, `c-redis` and `c-postgres` print.
struct BrokerRun: Decodable {
  var messages: Int
  var seconds: Double
  var cpuSeconds: Double
  var p50: Double?
  var p99: Double?

  var messagesPerSecond: Double { Double(messages) / seconds }
  var cpuMicrosecondsPerMessage: Double { cpuSeconds * 1e6 / Double(messages) }
}

/// A way to publish over a broker, by the name that `scripts/bench` gives it.
enum BrokerWay: String, CaseIterable, Decodable {
  case cRoundTrip = "c-round-trip"
  /// One at a time; on PostgreSQL that is one in a transaction.
  case cOne = "c-one"
  /// Redis: 64 in flight. PostgreSQL: 100 in a transaction.
  case cMany = "c-many"
  case poolRoundTrip = "pool-round-trip"
  case poolOne = "pool-one"
  case poolMany = "pool-many"
  case loopRoundTrip = "loop-round-trip"
  case loopOne = "loop-one"
  case loopMany = "loop-many"

  static let roundTrips: [BrokerWay] = [.cRoundTrip, .poolRoundTrip, .loopRoundTrip]
  static let throughputs: [BrokerWay] = [.cOne, .cMany, .poolOne, .poolMany, .loopOne, .loopMany]

  var who: String {
    switch self {
    case .cRoundTrip, .cOne, .cMany: "the C program"
    case .poolRoundTrip, .poolOne, .poolMany: "ours, tasks on the global pool"
    case .loopRoundTrip, .loopOne, .loopMany: "ours, tasks on the backend's loop"
    }
  }
}

/// The runs over one broker, in rounds: in each of them every way had its turn, so that what disturbs the machine
/// disturbs all.
struct BrokerMeasurements {
  var name: String
  var runs: [BrokerWay: [BrokerRun]] = [:]

  func values(_ way: BrokerWay, _ number: (BrokerRun) -> Double?) -> [Double] {
    (runs[way] ?? []).compactMap(number)
  }

  /// A number of one way divided by that of another, in each round.
  func ratios(_ way: BrokerWay, to other: BrokerWay, _ number: (BrokerRun) -> Double) -> [Double] {
    zip(values(way, number), values(other, number)).map { $0 / $1 }
  }

  /// What a way's throughput is compared with. One transaction each is all that a C program of this shape can do for
  /// publishers who wait for their own message; Redis answers in order, so there it may have others in flight.
  func reference(of way: BrokerWay) -> BrokerWay? {
    switch way {
    case .poolOne, .loopOne: runs[.cOne] == nil ? .cMany : .cOne
    case .poolMany, .loopMany: .cMany
    default: nil
    }
  }

  func pace(of way: BrokerWay) -> String {
    switch way {
    case .cOne: "one in a transaction"
    case .cMany: runs[.cOne] == nil ? "64 in flight" : "100 in a transaction"
    case .poolOne, .loopOne: "64 tasks, one at a time"
    case .poolMany, .loopMany: "64 tasks, 64 at a time"
    case .cRoundTrip, .poolRoundTrip, .loopRoundTrip: "one, when the one before is back"
    }
  }
}

extension [Double] {
  var median: Double? {
    if isEmpty { return nil }
    let values = sorted()
    return (values[(count - 1) / 2] + values[count / 2]) / 2
  }
}
