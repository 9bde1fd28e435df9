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

/// Lets clients connect on 127.0.0.1, and never says a word.
package final class SilentServer: Sendable {
  package let port: Int
  private let descriptor: Int32

  package init() throws(ProgramError) {
    #if canImport(Glibc)
      let type = Int32(SOCK_STREAM.rawValue)
    #else
      let type = SOCK_STREAM
    #endif
    descriptor = socket(AF_INET, type, 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &name) { [descriptor] in
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        // The system completes connections by itself, as many as may wait to be accepted.
        bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, address, &length) == 0
      }
    }
    port = Int(UInt16(bigEndian: name.sin_port))
    guard status else { throw ProgramError(.notStarted, "no listening socket: \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }
}
