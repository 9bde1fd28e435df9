//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Pipe {
  func makeNonBlocking() {
    for end in [reading, writing] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
  }

  /// How many bytes lay in it.
  func readAll() -> Int {
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = read(reading, &bytes, bytes.count)
    return max(0, count)
  }
}
