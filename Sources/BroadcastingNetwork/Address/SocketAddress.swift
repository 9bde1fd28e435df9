//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CUV

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where a socket is, or its peer.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  package enum Family: Hashable, Sendable { case ipv4, ipv6, unix }

  package let family: Family
  /// Digits, as in `127.0.0.1` or `fe80::1%eth0`; for a Unix socket its path.
  package let host: String
  /// 0 for a Unix socket.
  package let port: UInt16

  /// An address in digits. Names are for ``lookUp(_:port:)``.
  package init?(digits host: String, port: UInt16) {
    if host.utf8.contains(0) { return nil }
    var ipv4 = sockaddr_in()
    var ipv6 = sockaddr_in6()
    if uv_ip4_addr(host, Int32(port), &ipv4) == 0 {
      family = .ipv4
    } else if uv_ip6_addr(host, Int32(port), &ipv6) == 0 {
      family = .ipv6
    } else {
      return nil
    }
    self.host = host
    self.port = port
  }

  /// A Unix socket. The system limits the path to some 100 bytes.
  package init?(path: String) {
    let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
    guard !path.isEmpty, path.utf8.count < limit, !path.utf8.contains(0) else { return nil }
    family = .unix
    host = path
    port = 0
  }

  /// Nil for a family that is none of ours.
  init?(_ address: UnsafePointer<sockaddr>) {
    var text = [CChar](repeating: 0, count: 108)
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      family = .ipv4
      port = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        uv_ip4_name($0, &text, text.count)
        return UInt16(bigEndian: $0.pointee.sin_port)
      }
    case AF_INET6:
      family = .ipv6
      port = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
        uv_ip6_name($0, &text, text.count)
        return UInt16(bigEndian: $0.pointee.sin6_port)
      }
    default:
      return nil
    }
    host = String(decoding: text.prefix { $0 != 0 }.lazy.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Whether the other end is this machine.
  package var isLoopback: Bool {
    switch family {
    case .ipv4: host.hasPrefix("127.")
    case .ipv6: host == "::1" || host.hasPrefix("::ffff:127.")
    case .unix: true
    }
  }

  package var description: String {
    switch family {
    case .ipv4: "\(host):\(port)"
    case .ipv6: "[\(host)]:\(port)"
    case .unix: host
    }
  }

  func with(port: UInt16) -> SocketAddress { SocketAddress(digits: host, port: port) ?? self }

  /// For the calls of the socket interface. A Unix socket's path has to be copied, which is the connector's matter.
  func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var ipv4 = sockaddr_in()
    var ipv6 = sockaddr_in6()
    if family == .ipv6 {
      uv_ip6_addr(host, Int32(port), &ipv6)
      return withUnsafePointer(to: ipv6) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
      }
    }
    uv_ip4_addr(host, Int32(port), &ipv4)
    return withUnsafePointer(to: ipv4) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
