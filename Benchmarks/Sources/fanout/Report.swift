//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import measuring

/// The samples of a contender in a shape.
struct Result: Sendable {
  var kind: ContenderKind
  var shape: Shape
  var samples: [Sample]

  var cpu: Spread { Spread(samples.map(\.cpuNanoseconds)) }
  var deliveriesPerSecond: Spread { Spread(samples.map { 1e9 / $0.wallNanoseconds }) }
}

/// Whether ours is as cheap as it should be in the shape that decides.
struct Verdict: Sendable {
  var limit: Double
  var ratio: Double
  var holds: Bool { ratio <= limit }

  init(_ results: [Result], shape: Shape, limit: Double) {
    func median(_ kind: ContenderKind) -> Double {
      results.first { $0.kind == kind && $0.shape == shape }?.cpu.median ?? .nan
    }
    self.limit = limit
    ratio = median(.batches) / median(.streams)
  }
}

enum Report {
  static func table(_ results: [Result], _ verdict: Verdict) -> String {
    var lines = [
      "CPU ns per delivery and million deliveries per second: medians (least–most)",
      "",
      "| subscribers | burst | contender        | CPU ns | least–most   | M/s   | least–most    |",
      "|------------:|------:|------------------|-------:|-------------:|------:|--------------:|",
    ]
    for result in results {
      let (cpu, rate) = (result.cpu, result.deliveriesPerSecond)
      lines.append(
        [
          "", left("\(result.shape.subscribers)", 11), left("\(result.shape.burst)", 5),
          right(result.kind.rawValue, 16), left(decimal(cpu.median, 0), 6),
          left("\(decimal(cpu.least, 0))–\(decimal(cpu.most, 0))", 12), left(decimal(rate.median / 1e6, 2), 5),
          left("\(decimal(rate.least / 1e6, 2))–\(decimal(rate.most / 1e6, 2))", 13), "",
        ].joined(separator: " | ").dropFirst().dropLast().description)
    }
    lines += ["", sentence(verdict)]
    return lines.joined(separator: "\n")
  }

  static func json(_ results: [Result], _ verdict: Verdict) -> String {
    let rows = results.map { result in
      """
          {"subscribers": \(result.shape.subscribers), "burst": \(result.shape.burst), \
      "contender": "\(result.kind)", "cpuNanoseconds": \(object(result.cpu)), \
      "deliveriesPerSecond": \(object(result.deliveriesPerSecond))}
      """
    }
    return """
      {
        "results": [
      \(rows.joined(separator: ",\n"))
        ],
        "gate": {"ratio": \(decimal(verdict.ratio, 4)), "limit": \(verdict.limit), "holds": \(verdict.holds)}
      }
      """
  }

  private static func sentence(_ verdict: Verdict) -> String {
    let shape = Fanout.gate.shape
    return """
      Bursts of \(shape.burst) to \(shape.subscribers) subscribers: ours takes \(decimal(verdict.ratio, 4)) of the CPU of \
      AsyncStream; at most \(verdict.limit) is wanted: \(verdict.holds ? "kept" : "BROKEN")
      """
  }

  private static func object(_ spread: Spread) -> String {
    """
    {"median": \(decimal(spread.median, 1)), "least": \(decimal(spread.least, 1)), "most": \(decimal(spread.most, 1))}
    """
  }

  /// A number with so many digits behind the point, as Foundation would write it.
  private static func decimal(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return "null" }
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int((value * Double(scale)).rounded())
    guard digits > 0 else { return "\(scaled)" }
    let fraction = "\(scaled % scale)"
    return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  private static func left(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func right(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
