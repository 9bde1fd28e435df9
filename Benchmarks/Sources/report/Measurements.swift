//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// One line of what `scripts/bench` has collected.
struct Line: Decodable {
  /// Where and when it was measured: pairs for the table.
  var machine: [[String]]?
  /// What `fanout --json` printed.
  var fanout: Fanout?
  /// What `history --json` printed.
  var history: [HistoryRow]?
  /// The name of a scenario, its arguments, and what `broadcast bench --json` printed.
  var scenario: String?
  var arguments: String?
  var run: Run?
  /// A broker, a way to publish over it, and what that program printed.
  var broker: Broker?
  var way: BrokerWay?
  var brokerRun: BrokerRun?
}

struct Fanout: Decodable {
  struct Spread: Decodable {
    var median: Double
    var least: Double
    var most: Double

    var cell: String { "\(Numbers.text(median)) (\(Numbers.text(least))–\(Numbers.text(most)))" }
  }
  struct Row: Decodable {
    var subscribers: Int
    var burst: Int
    var contender: String
    var cpuNanoseconds: Spread
    var deliveriesPerSecond: Spread
  }
  var results: [Row]
}

struct Run: Decodable {
  struct Quantiles: Decodable {
    var p50: Double
    var p99: Double
    var p999: Double
    var max: Double
  }
  struct Server: Decodable {
    var cpuMicrosecondsPerDelivery: Double?
    var cpuMicrosecondsPerMessage: Double?
    var bytesPerIdleSubscriber: Double?
    var residentBytesAfter: Double?
  }
  var subscribers: Int
  var inFlight: Int?
  var messages: Int
  var messagesPerSecond: Double?
  var deliveries: Int
  var deliveriesPerSecond: Double?
  var latencyMicroseconds: Quantiles?
  var answerMicroseconds: Quantiles?
  /// Pairs: up to so many microseconds, so many deliveries.
  var histogram: [[Double?]]
  var cpuMicrosecondsPerDelivery: Double?
  var cpuShare: Double?
  var server: Server?
  var exitCode: Int
}

/// The runs of one scenario.
struct Scenario {
  var name: String
  var arguments: String
  var runs: [Run] = []

  /// The median of a number over the runs that have it.
  func median(_ number: (Run) -> Double?) -> Double? {
    let values = runs.compactMap(number).sorted()
    if values.isEmpty { return nil }
    return (values[(values.count - 1) / 2] + values[values.count / 2]) / 2
  }

  func spread(_ number: (Run) -> Double?) -> ClosedRange<Double>? {
    let values = runs.compactMap(number)
    guard let least = values.min(), let most = values.max() else { return nil }
    return least...most
  }

  /// How many deliveries of all runs took up to so many microseconds, and longer than those of the pair before.
  var histogram: [(edge: Double, count: Double)] {
    var counts: [Double: Double] = [:]
    for pair in runs.flatMap(\.histogram) where pair.count == 2 {
      if let edge = pair[0], let count = pair[1] { counts[edge, default: 0] += count }
    }
    return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  var hasDeliveries: Bool { runs.contains { $0.deliveries > 0 } }
}

struct Measurements {
  var machine: [(name: String, value: String)] = []
  var fanout: Fanout?
  var history: [HistoryRow] = []
  /// In the order of their first run.
  var scenarios: [Scenario] = []
  var brokers: [BrokerMeasurements] = []

  init(lines text: String) throws {
    let decoder = JSONDecoder()
    for line in text.split(separator: "\n") {
      let line = try decoder.decode(Line.self, from: Data(line.utf8))
      machine += (line.machine ?? []).filter { $0.count == 2 }.map { ($0[0], $0[1]) }
      fanout = line.fanout ?? fanout
      history += line.history ?? []
      if let broker = line.broker, let way = line.way, let run = line.brokerRun { add(run, of: way, over: broker) }
      guard let name = line.scenario, let run = line.run else { continue }
      if let index = scenarios.firstIndex(where: { $0.name == name }) {
        scenarios[index].runs.append(run)
      } else {
        scenarios.append(Scenario(name: name, arguments: line.arguments ?? "", runs: [run]))
      }
    }
  }

  private mutating func add(_ run: BrokerRun, of way: BrokerWay, over broker: Broker) {
    let index = brokers.firstIndex { $0.broker == broker } ?? brokers.endIndex
    if index == brokers.endIndex { brokers.append(BrokerMeasurements(broker: broker)) }
    brokers[index].runs[way, default: []].append(run)
  }
}
