//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import CUV

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A descriptor that is closed with its last reference.
final class Descriptor: Sendable {
  let number: Int32
  init(_ number: Int32) { self.number = number }
  deinit { systemClose(number) }
}

/// Sockets that listen on an address, a set for each of several loops: the kernel spreads the connections over them.
///
/// The first socket is bound without SO_REUSEPORT and gets it afterwards, so that our other loops can join but another
/// server on the same port fails (Linux; socket(7)). Whatever no loop has claimed is closed with this object.
package final class ListeningSockets: Sendable {
  /// What is listened on, with the real port.
  package let addresses: [SocketAddress]
  private let unclaimed: Lock<[[Descriptor]]>

  /// Binds and listens. A name with several addresses, as `localhost` may be, gives one socket for each of them; those
  /// that this machine does not have are left out.
  ///
  /// - Parameters:
  ///   - port: 0 for any that is free.
  ///   - count: how many loops will claim a set.
  ///   - backlog: connections that may wait to be accepted, for each socket. The system has a limit too
  ///     (net.core.somaxconn), and takes the lower one.
  /// - Throws: ``NetworkError`` that names the address: `addressInUse`, `permissionDenied`, `addressNotAvailable`,
  ///   or one of the look-up.
  package static func bind(
    host: String, port: UInt16, count: Int = 1, backlog: Int = 4096
  ) async throws(NetworkError) -> ListeningSockets {
    let wanted = try await SocketAddress.lookUp(host, port: port)
    // With port 0 the first address chooses, and the port may be taken on the second.
    for _ in 0..<8 where port == 0 {
      if let sockets = try? ListeningSockets(wanted, count: count, backlog: backlog) { return sockets }
    }
    return try ListeningSockets(wanted, count: count, backlog: backlog)
  }

  private init(_ wanted: [SocketAddress], count: Int, backlog: Int) throws(NetworkError) {
    var sets: [[Descriptor]] = Array(repeating: [], count: max(1, count))
    var bound: [SocketAddress] = []
    var unavailable: NetworkError?
    for address in wanted {
      let address = bound.first.map { address.with(port: $0.port) } ?? address
      // `::` would take the IPv4 port too.
      let isShared = wanted.contains { $0.family == .ipv4 }
      do {
        let first = try Self.listen(on: address, joins: false, onlyIPv6: isShared, backlog: backlog)
        let real = Self.address(of: first) ?? address
        sets[0].append(first)
        for index in sets.indices.dropFirst() {
          sets[index].append(try Self.listen(on: real, joins: true, onlyIPv6: isShared, backlog: backlog))
        }
        bound.append(real)
      } catch {
        guard error.code == .addressNotAvailable || error.code == .invalidAddress else { throw error }
        unavailable = error
      }
    }
    if bound.isEmpty, let unavailable { throw unavailable }
    addresses = bound
    unclaimed = Lock(sets)
  }

  /// One loop's sockets; nil when all sets are taken.
  func claim() -> [Descriptor]? { unclaimed.withLock { $0.popLast() } }

  private static func listen(
    on address: SocketAddress, joins: Bool, onlyIPv6: Bool, backlog: Int
  ) throws(NetworkError) -> Descriptor {
    let what = "could not listen on \(address)"
    let number = newSocket(address.family == .ipv6 ? AF_INET6 : AF_INET)
    if number < 0 { throw NetworkError(what, status: errno) }
    let socket = Descriptor(number)
    // Connections of a server that has just ended must not keep its port.
    var works = SocketOptions.set(number, SOL_SOCKET, SO_REUSEADDR, 1)
    if address.family == .ipv6, onlyIPv6 {
      works = works && SocketOptions.set(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
    }
    if joins { works = works && SocketOptions.set(number, SOL_SOCKET, SO_REUSEPORT, 1) }
    works = works && address.withSockaddr { Self.systemBind(number, $0, $1) } == 0
    if !joins { works = works && SocketOptions.set(number, SOL_SOCKET, SO_REUSEPORT, 1) }
    works = works && systemListen(number, Int32(clamping: backlog)) == 0
    if !works { throw NetworkError(what, status: errno) }
    return socket
  }

  private static func newSocket(_ family: Int32) -> Int32 {
    #if canImport(Darwin)
      let number = socket(family, SOCK_STREAM, 0)
      if number >= 0 { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
      return number
    #else
      return socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    #endif
  }

  private static func address(of socket: Descriptor) -> SocketAddress? {
    SocketOptions.address { name, size in
      var length = socklen_t(size.pointee)
      return getsockname(socket.number, name, &length)
    }
  }

  private static func systemBind(_ number: Int32, _ name: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
    #if canImport(Darwin)
      Darwin.bind(number, name, size)
    #elseif canImport(Musl)
      Musl.bind(number, name, size)
    #else
      Glibc.bind(number, name, size)
    #endif
  }

  private static func systemListen(_ number: Int32, _ backlog: Int32) -> Int32 {
    #if canImport(Darwin)
      Darwin.listen(number, backlog)
    #elseif canImport(Musl)
      Musl.listen(number, backlog)
    #else
      Glibc.listen(number, backlog)
    #endif
  }
}
