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

/// The descriptors of the test's own process.
package enum ProcessDescriptors {
  /// Sets how many there may be (the soft limit of RLIMIT_NOFILE, setrlimit(2)): for a process of its own.
  package static func limit(to soft: Int) {
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let resource = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    getrlimit(resource, &limit)
    limit.rlim_cur = rlim_t(soft)
    setrlimit(resource, &limit)
  }

  /// How many are open.
  package static var count: Int { (0..<getdtablesize()).count { fcntl($0, F_GETFD) != -1 } }

  #if os(Linux)
    /// The one that listens on an IPv4 port, or -1.
    package static func listening(on port: UInt16) -> Int32 {
      (0..<getdtablesize()).first { number in
        var listens: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens == 1 else { return false }
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &name) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
        }
        return status == 0 && Int32(name.sin_family) == AF_INET && UInt16(bigEndian: name.sin_port) == port
      } ?? -1
    }
  #endif
}
