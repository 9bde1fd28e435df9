//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A result for people.
struct BenchTable {
  private static let barWidth = 40
  private static let rows = 14
  private let result: BenchResult

  init(_ result: BenchResult) { self.result = result }

  var text: String {
    var blocks = [scenario]
    if result.measurement.messages > 0 {
      blocks.append(rates)
      blocks.append(latencies)
    }
    if !result.measurement.latency.isEmpty { blocks.append(histogram) }
    blocks.append(faults)
    blocks.append(costs)
    return blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  // MARK: Blocks

  private var scenario: [String] {
    let options = result.options
    let pace =
      options.rate.map { "\(Numbers.grouped($0)) messages/s" } ?? "\(Numbers.grouped(options.inFlight)) in flight"
    return [
      [
        count(options.subscribers, "subscriber"),
        "\(count(options.messages, "message")) of \(Numbers.bytes(Double(options.size)))",
        pace,
        count(options.connectionCount, "connection") + " to publish", count(options.channels, "channel"),
      ].joined(separator: ", ")
    ]
  }

  private var rates: [String] {
    let measurement = result.measurement
    return columns(
      [
        ["deliveries/s", result.deliveriesPerSecond.map { Numbers.significant($0) } ?? "-"],
        ["messages/s", result.messagesPerSecond.map { Numbers.significant($0) } ?? "-"],
        [
          "deliveries", Numbers.grouped(measurement.deliveries),
        ],
        ["seconds", Numbers.significant(result.seconds)],
      ])
  }

  private var latencies: [String] {
    func row(_ name: String, _ histogram: Histogram) -> [String] {
      [name]
        + [0.5, 0.99, 0.999].map { histogram.quantile($0).map(Numbers.time(nanoseconds:)) ?? "-" }
        + [histogram.isEmpty ? "-" : Numbers.time(nanoseconds: histogram.most)]
    }
    return columns(
      [
        ["latency", "p50", "p99", "p99.9", "max"], row("a delivery", result.measurement.latency),
        row("last delivery", result.measurement.lastDelivery), row("answer", result.measurement.answer),
      ])
  }

  private var histogram: [String] {
    let latency = result.measurement.latency
    let edges = LatencyScale.edges(from: latency.least, to: latency.most, rows: Self.rows)
    let counts = latency.counts(between: edges)
    let largest = counts.max() ?? 1
    let rows = counts.enumerated().map { index, count in
      let isLast = index == edges.count
      let name = isLast ? (edges.isEmpty ? "all" : "more") : "up to \(Numbers.time(nanoseconds: edges[index]))"
      let share = Double(count) / Double(latency.count) * 100
      return [name, "\(Numbers.fixed(share, 1)) %", Self.bar(Double(count) / Double(largest))]
    }
    return columns([["latency", "deliveries", ""]] + rows, leftAligned: [0, 2])
  }

  /// A bar with eighths of a block at its end.
  static func bar(_ share: Double) -> String {
    let eighths = Int((share * Double(barWidth * 8)).rounded(.up))
    let rest = eighths % 8
    let end = rest == 0 ? "" : String(Unicode.Scalar(UInt32(0x2590 - rest)).map(Character.init) ?? " ")
    return String(repeating: "\u{2588}", count: eighths / 8) + end
  }

  private var faults: [String] {
    var rows = [
      ["lost", Numbers.grouped(result.lost)], ["doubled", Numbers.grouped(result.counts.doubled)],
      ["out of order", Numbers.grouped(result.counts.outOfOrder)], ["damaged", Numbers.grouped(result.counts.damaged)],
      ["subscribers cut", Numbers.grouped(result.cuts.count)],
    ]
    if let reason = result.cuts.reason { rows[4].append("the first: \(reason)") }
    return columns(rows, leftAligned: [0, 2])
  }

  private var costs: [String] {
    var rows: [[String]] = []
    if let cpu = result.ownCPUPerDelivery {
      rows.append(["CPU of this program", "\(Numbers.fixed(cpu, 2)) µs per delivery"])
    }
    if let cpu = result.serverCPUPerDelivery {
      rows.append(["CPU of the server", "\(Numbers.fixed(cpu, 2)) µs per delivery"])
    }
    if let cpu = result.serverCPUPerMessage { rows.append(["", "\(Numbers.fixed(cpu, 2)) µs per message"]) }
    if let bytes = result.bytesPerIdleSubscriber {
      rows.append(["memory of the server", "\(Numbers.bytes(bytes)) per idle subscriber"])
    }
    if let bytes = result.server?.residentBytesAfter {
      rows.append(["", "\(Numbers.bytes(Double(bytes))) at the end"])
    }
    var lines = columns(rows, leftAligned: [0, 1])
    if result.options.rate == nil, let share = result.ownShare, share > 0.9 {
      lines.append(
        "This program was busy \(Numbers.fixed(min(1, share) * 100, 0)) % of the time: the server can do more.")
    }
    return lines
  }

  // MARK: Layout

  private func count(_ number: Int, _ what: String) -> String {
    "\(Numbers.grouped(number)) \(what)\(number == 1 ? "" : "s")"
  }

  /// Pads each column to the width of its widest cell.
  private func columns(_ rows: [[String]], leftAligned: Set<Int> = [0]) -> [String] {
    var widths: [Int] = []
    for row in rows {
      for (index, cell) in row.enumerated() {
        if index == widths.count { widths.append(0) }
        widths[index] = max(widths[index], cell.count)
      }
    }
    return rows.map { row in
      var line = ""
      for (index, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        line += (index == 0 ? "" : "  ") + (leftAligned.contains(index) ? cell + padding : padding + cell)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
