//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How often each latency came: counters whose width grows with the value, so that any number of values takes the same
/// 58 KiB and none is off by more than 1/128.
///
/// Values below 256 have a counter each. Above, every power of two is cut into 128 counters of equal width.
struct Histogram: Sendable {
  private static let bits = 7
  private static let perPower = 1 << bits

  private var counters = [UInt64](repeating: 0, count: (64 - bits) * perPower + perPower)
  private(set) var count: UInt64 = 0
  private(set) var least: UInt64 = .max
  private(set) var most: UInt64 = 0

  var isEmpty: Bool { count == 0 }

  mutating func add(_ value: UInt64) {
    counters[Self.index(of: value)] += 1
    count += 1
    if value < least { least = value }
    if value > most { most = value }
  }

  /// The value that `fraction` of all values do not exceed: a half is the median. It is the middle of its counter, and
  /// no more than the largest value. Nil when there are none.
  func quantile(_ fraction: Double) -> UInt64? {
    if isEmpty { return nil }
    let rank = max(1, min(count, UInt64((fraction * Double(count)).rounded(.up))))
    var passed: UInt64 = 0
    for index in counters.indices {
      passed += counters[index]
      if passed >= rank {
        let range = Self.range(of: index)
        return min(most, max(least, range.lowerBound + (range.upperBound - range.lowerBound) / 2))
      }
    }
    return most
  }

  /// How many values lie in each part of a scale: part 0 below the first edge, the last at or above the last one.
  /// A counter counts where its lower end lies.
  func counts(between edges: [UInt64]) -> [UInt64] {
    var result = [UInt64](repeating: 0, count: edges.count + 1)
    var part = 0
    for index in counters.indices where counters[index] > 0 {
      let start = Self.range(of: index).lowerBound
      while part < edges.count, start >= edges[part] { part += 1 }
      result[part] += counters[index]
    }
    return result
  }

  static func index(of value: UInt64) -> Int {
    if value < UInt64(2 * perPower) { return Int(value) }
    let shift = 63 - value.leadingZeroBitCount - bits
    return (shift + 1) * perPower + Int(value >> UInt64(shift)) - perPower
  }

  /// The values that a counter counts. The last one's end is cut at the largest number.
  static func range(of index: Int) -> Range<UInt64> {
    if index < 2 * perPower { return UInt64(index)..<UInt64(index) + 1 }
    let shift = UInt64(index / perPower - 1)
    let start = UInt64(index % perPower + perPower) << shift
    let (end, overflowed) = start.addingReportingOverflow(1 << shift)
    return start..<(overflowed ? .max : end)
  }
}
