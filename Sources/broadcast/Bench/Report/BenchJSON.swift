//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer

/// A result as one line of JSON. What was not measured is null.
struct BenchJSON {
  private let result: BenchResult

  init(_ result: BenchResult) { self.result = result }

  var text: String {
    let options = result.options
    let measurement = result.measurement
    return Self.object([
      ("subscribers", "\(options.subscribers)"), ("messages", "\(measurement.messages)"), ("size", "\(options.size)"),
      ("inFlight", options.rate == nil ? "\(options.inFlight)" : "null"),
      ("rate", options.rate.map { "\($0)" } ?? "null"), ("connections", "\(options.connectionCount)"),
      ("channels", "\(options.channels)"), ("isComplete", "\(result.isComplete)"),
      ("seconds", Numbers.fixed(result.seconds, 4)), ("messagesPerSecond", number(result.messagesPerSecond, 1)),
      ("deliveries", "\(measurement.deliveries)"), ("deliveriesPerSecond", number(result.deliveriesPerSecond, 1)),
      ("latencyMicroseconds", quantiles(measurement.latency)),
      ("lastDeliveryMicroseconds", quantiles(measurement.lastDelivery)),
      ("answerMicroseconds", quantiles(measurement.answer)), ("histogram", histogram),
      ("lost", "\(result.lost)"), ("doubled", "\(result.counts.doubled)"),
      ("outOfOrder", "\(result.counts.outOfOrder)"), ("damaged", "\(result.counts.damaged)"),
      ("subscribersCut", "\(result.cuts.count)"), ("cutBecause", string(result.cuts.reason)),
      ("cpuMicrosecondsPerDelivery", number(result.ownCPUPerDelivery, 3)),
      ("cpuShare", number(result.ownShare, 3)), ("server", server),
      ("error", string(result.failure?.message)), ("exitCode", "\(result.exitCode.rawValue)"),
    ]) + "\n"
  }

  private func quantiles(_ histogram: Histogram) -> String {
    if histogram.isEmpty { return "null" }
    let points = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)].map { name, fraction in
      (name, microseconds(histogram.quantile(fraction) ?? 0))
    }
    return Self.object([("min", microseconds(histogram.least))] + points + [("max", microseconds(histogram.most))])
  }

  /// Pairs: up to so many microseconds, so many deliveries; empty parts are left out.
  private var histogram: String {
    let edges = LatencyScale.fine
    let counts = result.measurement.latency.counts(between: edges)
    let pairs = counts.enumerated().filter { $0.element > 0 }.map { index, count in
      "[\(index < edges.count ? microseconds(edges[index]) : "null"),\(count)]"
    }
    return "[\(pairs.joined(separator: ","))]"
  }

  private var server: String {
    guard let usage = result.server else { return "null" }
    return Self.object([
      ("cpuSeconds", number(usage.cpu.map { Double($0) / 1e9 }, 4)),
      ("cpuMicrosecondsPerDelivery", number(result.serverCPUPerDelivery, 3)),
      ("cpuMicrosecondsPerMessage", number(result.serverCPUPerMessage, 3)),
      ("bytesPerIdleSubscriber", number(result.bytesPerIdleSubscriber, 0)),
      ("residentBytesBefore", usage.residentBytesBefore.map { "\($0)" } ?? "null"),
      ("residentBytesIdle", usage.residentBytesIdle.map { "\($0)" } ?? "null"),
      ("residentBytesAfter", usage.residentBytesAfter.map { "\($0)" } ?? "null"),
    ])
  }

  private func microseconds(_ nanoseconds: UInt64) -> String { Numbers.fixed(Double(nanoseconds) / 1e3, 1) }

  private func number(_ value: Double?, _ digits: Int) -> String { value.map { Numbers.fixed($0, digits) } ?? "null" }

  private func string(_ text: String?) -> String {
    guard let text else { return "null" }
    var bytes: [UInt8] = []
    JSONWriter.append(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func object(_ fields: [(name: String, value: String)]) -> String {
    "{\(fields.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ","))}"
  }
}
