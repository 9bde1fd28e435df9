//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What was measured, as a picture: for each scenario how its latencies are spread, and beside that its deliveries a
/// second and the server's CPU per delivery. SVG without a script, in colours for light and for dark pages.
struct Picture {
  private static let width = 960.0
  private static let top = 84.0
  private static let rowHeight = 96.0
  private static let bottom = 92.0
  /// Where the columns begin and end.
  private static let names = 24.0
  private static let latency = 214.0...566.0
  private static let rate = 606.0...766.0
  private static let cpu = 806.0...936.0

  let scenarios: [Scenario]
  let idle: Scenario?
  let machine: [(name: String, value: String)]

  init(_ measurements: Measurements) {
    scenarios = measurements.scenarios.filter(\.hasDeliveries)
    idle = measurements.scenarios.first { !$0.hasDeliveries }
    machine = measurements.machine
  }

  private var height: Double { Self.top + Self.rowHeight * Double(scenarios.count) + Self.bottom }
  private var plotEnd: Double { Self.top + Self.rowHeight * Double(scenarios.count) }

  var text: String {
    var parts = [head, background, titles, axis]
    for (index, scenario) in scenarios.enumerated() {
      parts.append(row(scenario, at: Self.top + Self.rowHeight * Double(index)))
    }
    parts.append(foot)
    return parts.joined(separator: "\n") + "\n</svg>\n"
  }

  // MARK: The frame

  private var head: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(height))" width="\(Int(Self.width))" \
    height="\(Int(height))" role="img" aria-label="Latency, deliveries a second and CPU per delivery by scenario">
    <style>
      text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
      .page { fill: #ffffff; } .title { font-size: 15px; font-weight: 600; } .name { font-size: 14px; font-weight: 600; }
      .small { font-size: 12px; } .quiet { fill: #59636e; } .value { font-size: 13px; }
      .grid { stroke: #d1d9e0; stroke-width: 1; } .base { stroke: #b0b8c0; stroke-width: 1; }
      .hill { fill: #2f81f7; fill-opacity: 0.28; stroke: #1f6feb; stroke-width: 1.5; stroke-linejoin: round; }
      .mark { stroke: #bc4c00; stroke-width: 1.5; } .marked { fill: #bc4c00; }
      .rate { fill: #1f6feb; } .cpu { fill: #1a7f64; } .track { fill: #eef1f4; }
      @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3; } .page { fill: #0d1117; } .quiet { fill: #9198a1; }
        .grid { stroke: #2a313a; } .base { stroke: #4a525c; } .hill { stroke: #58a6ff; } .mark { stroke: #f0883e; }
        .marked { fill: #f0883e; } .rate { fill: #388bfd; } .cpu { fill: #3fb98f; } .track { fill: #1b222b; }
      }
    </style>
    """
  }

  private var background: String { "<rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"8\"/>" }

  private var titles: String {
    [
      label("Latency of a delivery", Self.latency.lowerBound, 34, "title"),
      label("how many took how long; lines: p50 and p99", Self.latency.lowerBound, 54, "small quiet"),
      label("Deliveries a second", Self.rate.lowerBound, 34, "title"),
      label("with the generator beside it", Self.rate.lowerBound, 54, "small quiet"),
      label("Server's CPU", Self.cpu.lowerBound, 34, "title"),
      label("µs for a delivery", Self.cpu.lowerBound, 54, "small quiet"),
    ].joined(separator: "\n")
  }

  // MARK: The scale of the latencies, a logarithm

  /// Whole decades round all that came, in powers of ten of a microsecond.
  private var decades: ClosedRange<Int> {
    let edges = scenarios.flatMap(\.histogram).filter { $0.count > 0 }.map(\.edge)
    guard let least = edges.min(), let most = edges.max(), least > 0 else { return 1...4 }
    let low = Int(log10(least / 1.2).rounded(.down))
    return low...max(low + 1, Int(log10(most).rounded(.up)))
  }

  private func x(_ microseconds: Double) -> Double {
    let range = decades
    let part = (log10(microseconds) - Double(range.lowerBound)) / Double(range.count - 1)
    return Self.latency.lowerBound + part * (Self.latency.upperBound - Self.latency.lowerBound)
  }

  private var axis: String {
    decades.map { decade in
      let value = pow(10, Double(decade))
      let names = ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"]
      let name = names.indices.contains(decade) ? names[decade] : ""
      return """
        <line class="grid" x1="\(point(x(value)))" x2="\(point(x(value)))" y1="\(point(Self.top - 12))" y2="\(point(plotEnd))"/>
        \(label(name, x(value), plotEnd + 18, "small quiet", anchor: "middle"))
        """
    }.joined(separator: "\n")
  }

  // MARK: A scenario

  private func row(_ scenario: Scenario, at top: Double) -> String {
    let base = top + Self.rowHeight - 18
    let lines = scenario.name.split(separator: "|", maxSplits: 1)
    var parts = [label(String(lines[0]), Self.names, base - 26, "name")]
    if lines.count > 1 { parts.append(label(String(lines[1]), Self.names, base - 8, "small quiet")) }
    parts.append(hill(scenario, base: base, height: Self.rowHeight - 40))
    parts.append(
      "<line class=\"base\" x1=\"\(point(Self.latency.lowerBound))\" x2=\"\(point(Self.latency.upperBound))\" "
        + "y1=\"\(point(base))\" y2=\"\(point(base))\"/>")
    parts.append(marks(scenario, base: base, height: Self.rowHeight - 40))
    parts.append(bar(scenario, in: Self.rate, base: base, "rate", all: \.deliveriesPerSecond))
    parts.append(bar(scenario, in: Self.cpu, base: base, "cpu", all: \.server?.cpuMicrosecondsPerDelivery))
    return parts.joined(separator: "\n")
  }

  /// The deliveries of each part of the scale, the highest as high as there is room.
  private func hill(_ scenario: Scenario, base: Double, height: Double) -> String {
    // The edges are those of the generator's histogram: twenty for each decade.
    let step = pow(10, 1.0 / 20)
    let highest = scenario.histogram.map(\.count).max() ?? 1
    var points: [(x: Double, y: Double)] = []
    var last = 0.0
    for (edge, count) in scenario.histogram {
      let start = edge / step
      if start > last * 1.02 {
        if last > 0 { points.append((x(last), base)) }
        points.append((x(start), base))
      }
      points.append((x(edge / step.squareRoot()), base - count / highest * height))
      last = edge
    }
    if last > 0 { points.append((x(last), base)) }
    let path = points.map { "\(point($0.x)),\(point($0.y))" }.joined(separator: " ")
    return "<polygon class=\"hill\" points=\"\(path)\"/>"
  }

  private func marks(_ scenario: Scenario, base: Double, height: Double) -> String {
    let values = [scenario.median { $0.latencyMicroseconds?.p50 }, scenario.median { $0.latencyMicroseconds?.p99 }]
    return zip(["p50", "p99"], values).compactMap { name, value in
      value.map { value in
        let isFirst = name == "p50"
        return """
          <line class="mark" x1="\(point(x(value)))" x2="\(point(x(value)))" y1="\(point(base - height - 4))" \
          y2="\(point(base))"/>
          \(label("\(name) \(Numbers.time(value))", x(value) + (isFirst ? -5 : 5), base - height + 4, "small marked", anchor: isFirst ? "end" : "start"))
          """
      }
    }.joined(separator: "\n")
  }

  private func bar(
    _ scenario: Scenario, in range: ClosedRange<Double>, base: Double, _ style: String, all number: (Run) -> Double?
  ) -> String {
    guard let value = scenario.median(number) else { return "" }
    let most = scenarios.compactMap { $0.median(number) }.max() ?? value
    let room = range.upperBound - range.lowerBound
    let length = max(2, value / most * room)
    return """
      <rect class="track" x="\(point(range.lowerBound))" y="\(point(base - 20))" width="\(point(room))" height="14" rx="2"/>
      <rect class="\(style)" x="\(point(range.lowerBound))" y="\(point(base - 20))" width="\(point(length))" height="14" rx="2"/>
      \(label(Numbers.text(value), range.lowerBound, base - 28, "value"))
      """
  }

  private var foot: String {
    var lines: [String] = []
    if let idle, let bytes = idle.median({ $0.server?.bytesPerIdleSubscriber }) {
      let count = Numbers.grouped(idle.runs.first?.subscribers ?? 0)
      lines.append("\(count) WebSockets that wait: \(Numbers.grouped(Int(bytes))) bytes of the server's memory each.")
    }
    let wanted = ["date", "processor", "system"]
    lines.append(machine.filter { wanted.contains($0.name) }.map(\.value).joined(separator: " · "))
    return lines.enumerated().map { index, line in
      label(line, Self.names, plotEnd + 50 + Double(index) * 20, index == 0 ? "small" : "small quiet")
    }.joined(separator: "\n")
  }

  // MARK: SVG

  private func label(_ text: String, _ x: Double, _ y: Double, _ style: String, anchor: String = "start") -> String {
    let escaped = text.map { character in
      switch character {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      default: String(character)
      }
    }.joined()
    let place = anchor == "start" ? "" : " text-anchor=\"\(anchor)\""
    return "<text class=\"\(style)\" x=\"\(point(x))\" y=\"\(point(y))\"\(place)>\(escaped)</text>"
  }

  private func point(_ value: Double) -> String { Numbers.fixed(value, 1) }
}
