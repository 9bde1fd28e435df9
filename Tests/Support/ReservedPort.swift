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

/// A port of this machine that is kept for a server of these tests, whether it listens just now or not.
///
/// On Linux a socket is bound to it for as long as this lives, and does not listen. Nobody else gets the port who looks for
/// a free one as this does, in whichever process. Who has it from here can listen on it all the same, with `SO_REUSEADDR`,
/// which servers set: it lets a socket bind where no other one listens, if both have it (socket(7)). On other systems the
/// port was free a moment ago, and no more.
package final class ReservedPort: Sendable {
  package let number: Int
  /// Nil where the port is not kept.
  private let descriptor: Int32?

  /// Any that is free, below those which systems give to who connects.
  package static func any() throws(ProgramError) -> ReservedPort {
    for _ in 0..<50 {
      if let port = try? ReservedPort(.random(in: candidates)) { return port }
    }
    return try ReservedPort(.random(in: candidates))
  }

  static func some(_ count: Int) throws(ProgramError) -> [ReservedPort] {
    var ports: [ReservedPort] = []
    for _ in 0..<count { ports.append(try any()) }
    return ports
  }

  private static let candidates = 20_000..<32_000

  /// This one, unless somebody has it.
  package init(_ number: Int) throws(ProgramError) {
    self.number = number
    let bound = try Self.bound(to: number)
    #if os(Linux)
      // Only now: with it from the beginning, a port that somebody else has reserved would do.
      var isOn: CInt = 1
      setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<CInt>.size))
      descriptor = bound
    #else
      close(bound)
      descriptor = nil
    #endif
  }

  deinit { if let descriptor { close(descriptor) } }

  private static func bound(to number: Int) throws(ProgramError) -> Int32 {
    #if canImport(Darwin)
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #else
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(number).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else {
      let failure = ProgramError(.refused, "port \(number) can't be had: \(String(cString: strerror(errno)))")
      close(descriptor)
      throw failure
    }
    return descriptor
  }
}
