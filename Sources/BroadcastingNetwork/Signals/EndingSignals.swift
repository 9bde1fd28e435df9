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

/// The signals that ask a program to end.
package enum EndingSignals {
  /// SIGINT and SIGTERM, but for those which the parent has set to be ignored, as a shell does for a job in the background:
  /// who watched them would end by a Ctrl-C that was meant for another (signal(7)).
  package static func heeded() -> [Int32] {
    [SIGINT, SIGTERM].filter { number in
      let before = signal(number, SIG_IGN)
      let isIgnored = unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
      if !isIgnored { signal(number, before) }
      return !isIgnored
    }
  }
}
