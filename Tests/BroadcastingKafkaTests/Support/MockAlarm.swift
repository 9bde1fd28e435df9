//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Sees to it that a mock cluster takes orders at once.
///
/// Its thread looks for orders and throws away what woke it only after that (`rd_kafka_mock_cluster_io_poll`), so that an order
/// given in between waits until anything else wakes the thread: a second, while nobody is connected. As whoever gives an order
/// waits for it, hundreds of them would hold a thread for a minute. A new connection wakes it too.
enum MockAlarm {
  private final class Flag: Sendable { let isSet = Atomic(false) }
  /// In microseconds: how often it knocks. Nothing waits for its end; what is waited for is the order itself.
  private static let pause: UInt32 = 2_000

  /// Wakes whoever listens on the port of 127.0.0.1 again and again while `body` waits.
  static func during<T>(knockingAt port: UInt16, _ body: () -> T) -> T {
    let isOver = Flag()
    let status = DetachedThread.start {
      usleep(pause)
      while !isOver.isSet.load(ordering: .acquiring) {
        knock(at: port)
        usleep(pause)
      }
    }
    precondition(status == 0, "no thread could be started")
    defer { isOver.isSet.store(true, ordering: .releasing) }
    return body()
  }

  private static func knock(at port: UInt16) {
    #if canImport(Glibc)
      let kind = Int32(SOCK_STREAM.rawValue)
    #else
      let kind = SOCK_STREAM
    #endif
    let descriptor = socket(AF_INET, kind, 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    _ = withUnsafeBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { connect(descriptor, $0.baseAddress, socklen_t(bytes.count)) }
    }
  }
}
