//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Both ends of a pipe, for who made it to close. No program that another test starts meanwhile inherits them: it would
/// hold them open, and the end of what comes would never come.
package struct Pipe: Sendable {
  package let reading: Int32
  package let writing: Int32

  package init() throws(ProgramError) {
    self = try spawning.withLock { _ throws(ProgramError) in try Pipe(whileNothingStarts: ()) }
  }

  /// For who holds ``spawning``.
  init(whileNothingStarts: Void) throws(ProgramError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw ProgramError(.notStarted, "no pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reading, writing) = (ends[0], ends[1])
  }

  package func closeReading() { close(reading) }
  package func closeWriting() { close(writing) }
}
