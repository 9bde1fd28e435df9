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

/// Nanoseconds of clocks of the system (clock_gettime(3)).
enum Clocks {
  /// Of a clock that is never set, the same for all processes of a machine.
  static var monotonic: UInt64 { read(CLOCK_MONOTONIC) ?? 0 }

  /// What this process has used of the processors, in user and system mode together.
  static var ownCPU: UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) ?? 0 }

  static func read(_ clock: clockid_t) -> UInt64? {
    var time = timespec()
    guard clock_gettime(clock, &time) == 0 else { return nil }
    return UInt64(clamping: time.tv_sec) * 1_000_000_000 + UInt64(clamping: time.tv_nsec)
  }
}

extension Duration {
  /// As the clocks count; 0 for a negative one.
  var wholeNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
  }
}
