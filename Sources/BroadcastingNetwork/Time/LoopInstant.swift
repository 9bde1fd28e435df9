//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A moment on a loop's clock, in milliseconds. It is monotonic, and comparable within one loop.
package struct LoopInstant: Hashable, Comparable, Sendable {
  package var milliseconds: UInt64

  package static let distantFuture = LoopInstant(milliseconds: .max)

  package static func < (left: LoopInstant, right: LoopInstant) -> Bool { left.milliseconds < right.milliseconds }

  /// Rounded up to a millisecond; a negative duration counts as none.
  package static func + (instant: LoopInstant, duration: Duration) -> LoopInstant {
    let (sum, overflowed) = instant.milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
    return overflowed ? .distantFuture : LoopInstant(milliseconds: sum)
  }

  /// Zero if `other` is later.
  package static func - (instant: LoopInstant, other: LoopInstant) -> Duration {
    .milliseconds(Int64(clamping: instant.milliseconds - min(instant.milliseconds, other.milliseconds)))
  }
}

extension Duration {
  /// Rounded up, so that nothing ends before its time.
  var wholeMilliseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (whole, overflowed) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
    return overflowed
      ? .max / 2 : min(whole + UInt64(attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000, .max / 2)
  }
}
