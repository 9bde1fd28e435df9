//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The edges between which latencies are counted.
enum LatencyScale {
  /// Of a decade, from coarse to fine.
  private static let series: [[UInt64]] = [[100], [100, 300], [100, 200, 500], [100, 150, 200, 300, 500, 700]]

  /// The finest round edges by which all that lies between `least` and `most` is cut into at most `rows` parts.
  static func edges(from least: UInt64, to most: UInt64, rows: Int) -> [UInt64] {
    var best: [UInt64] = []
    for steps in series {
      let edges = all(steps).filter { $0 > least && $0 <= most }
      if edges.count >= rows { break }
      best = edges
    }
    return best
  }

  /// Twenty edges for each decade from 1 µs to 100 s, evenly spaced as a logarithm sees it, in nanoseconds.
  static let fine: [UInt64] = {
    // The twentieth root of ten.
    let step = 1.1220184543019633
    var edges: [UInt64] = []
    var decade = 1e3
    while decade < 1e11 {
      var edge = decade
      for _ in 0..<20 {
        edges.append(UInt64(edge.rounded()))
        edge *= step
      }
      decade *= 10
    }
    return edges
  }()

  private static func all(_ steps: [UInt64]) -> [UInt64] {
    var result: [UInt64] = []
    var decade: UInt64 = 10
    // From 1 µs to beyond 1,000 s.
    while decade <= 10_000_000_000 {
      result += steps.map { $0 * decade }
      decade *= 10
    }
    return result
  }
}
