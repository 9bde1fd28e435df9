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

/// What a process of this machine uses. Linux only: elsewhere nothing is known.
struct ServerProcessUsage: Sendable {
  private let process: Int

  /// Nil for a process that isn't there, or can't be looked at.
  init?(process: Int) {
    self.process = process
    if cpu == nil || residentBytes == nil { return nil }
  }

  /// Nanoseconds of the processors, in user and system mode together, of all threads that it has or had
  /// (clock_getcpuclockid(3)).
  var cpu: UInt64? {
    #if os(Linux)
      var clock = clockid_t()
      guard clock_getcpuclockid(pid_t(clamping: process), &clock) == 0 else { return nil }
      return Clocks.read(clock)
    #else
      return nil
    #endif
  }

  /// Its memory in RAM: the second number of /proc/PID/statm, in pages (proc(5)).
  var residentBytes: Int? {
    #if os(Linux)
      let file = open("/proc/\(process)/statm", O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { return nil }
      defer { close(file) }
      var text = [UInt8](repeating: 0, count: 256)
      let count = read(file, &text, text.count)
      guard count > 0 else { return nil }
      let numbers = String(decoding: text[..<count], as: UTF8.self).split(separator: " ")
      guard numbers.count > 1, let pages = Int(numbers[1]) else { return nil }
      return pages * sysconf(Int32(_SC_PAGESIZE))
    #else
      return nil
    #endif
  }
}
