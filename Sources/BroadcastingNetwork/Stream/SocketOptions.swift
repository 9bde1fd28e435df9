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

/// What libuv has no call for.
enum SocketOptions {
  /// Bytes in the kernel that the peer has not acknowledged: SIOCOUTQ of tcp(7), SO_NWRITE on macOS.
  static func unacknowledgedBytes(_ descriptor: Int32) -> Int32? {
    var count: Int32 = 0
    #if canImport(Darwin)
      var size = socklen_t(MemoryLayout<Int32>.size)
      return getsockopt(descriptor, SOL_SOCKET, SO_NWRITE, &count, &size) == 0 ? count : nil
    #else
      return ioctl(descriptor, UInt(TIOCOUTQ), &count) == 0 ? count : nil
    #endif
  }

  /// Sends what the kernel takes now: how many bytes those are, or a negative error as libuv has them. Without a signal
  /// where the peer is gone (send(2)); on macOS libuv sets SO_NOSIGPIPE for that.
  static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Darwin)
      let sent = Darwin.send(descriptor, bytes.baseAddress, bytes.count, 0)
    #elseif canImport(Musl)
      let sent = Musl.send(descriptor, bytes.baseAddress, bytes.count, MSG_NOSIGNAL)
    #else
      let sent = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    #endif
    if sent >= 0 { return sent }
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? Int(UV_EAGAIN.rawValue) : -Int(errno)
  }

  /// Closing will reset the connection: SO_LINGER with no time, socket(7).
  static func dropAtClose(_ descriptor: Int32) {
    var value = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
  }

  static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) -> Bool {
    var value = value
    return setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
  }

  static func address(_ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<Int32>) -> Int32) -> SocketAddress? {
    var storage = sockaddr_storage()
    var size = Int32(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask($0, &size) == 0 ? SocketAddress($0) : nil }
    }
  }
}

/// `close`, where a method of that name hides it. EINTR is no reason to repeat it: the descriptor is gone (close(2)).
func systemClose(_ descriptor: Int32) { _ = close(descriptor) }
