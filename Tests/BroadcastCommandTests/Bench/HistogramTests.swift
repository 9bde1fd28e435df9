//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("The histogram of latencies")
struct HistogramTests {
  @Test(
    "each value is counted where it lies, in a counter no wider than 1/128 of it",
    arguments: [0, 1, 127, 128, 255, 256, 257, 511, 512, 999, 1 << 20, (1 << 20) + 12_345, 1 << 62, .max - 1]
      as [UInt64])
  func counters(value: UInt64) {
    let range = Histogram.range(of: Histogram.index(of: value))
    #expect(range.contains(value))
    #expect(range.upperBound - range.lowerBound <= max(1, value / 128))
  }

  @Test("counters follow each other without a gap")
  func noGaps() {
    for index in 1..<2_000 {
      #expect(Histogram.range(of: index).lowerBound == Histogram.range(of: index - 1).upperBound)
      #expect(Histogram.index(of: Histogram.range(of: index).lowerBound) == index)
    }
  }

  @Test("the largest number of all has a counter too")
  func largest() {
    var histogram = Histogram()
    histogram.add(.max)
    #expect(histogram.quantile(0.5) == .max)
  }

  @Test("quantiles are those of the values, as far as a counter is wide")
  func quantiles() throws {
    var histogram = Histogram()
    for value in (1...10_000 as ClosedRange<UInt64>).reversed() { histogram.add(value * 1_000) }
    for (fraction, expected) in [(0.5, 5_000_000), (0.99, 9_900_000), (0.999, 9_990_000), (1, 10_000_000)] {
      let value = try #require(histogram.quantile(fraction))
      #expect(abs(Double(value) - Double(expected)) <= Double(expected) / 128, "\(fraction)")
    }
    #expect(histogram.quantile(0) == 1_002)
    #expect((histogram.least, histogram.most, histogram.count) == (1_000, 10_000_000, 10_000))
  }

  @Test("no quantile lies beyond the largest value, or below the least")
  func within() {
    var histogram = Histogram()
    histogram.add(1_000_003)
    for fraction in [0, 0.5, 0.999, 1] { #expect(histogram.quantile(fraction) == 1_000_003) }
  }

  @Test("an empty one has no quantiles")
  func empty() {
    #expect(Histogram().isEmpty)
    #expect(Histogram().quantile(0.5) == nil)
    #expect(Histogram().counts(between: [10]) == [0, 0])
  }

  @Test("values are counted between edges, the lower edge belonging to its part")
  func edges() {
    var histogram = Histogram()
    for value in [1, 9, 10, 11, 20, 99, 100, 200] as [UInt64] { histogram.add(value) }
    #expect(histogram.counts(between: [10, 20, 100]) == [2, 2, 2, 2])
    #expect(histogram.counts(between: []) == [8])
  }
}
