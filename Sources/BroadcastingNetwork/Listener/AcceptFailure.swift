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

/// What a failure of accept(2) asks a listener to do.
enum AcceptFailure {
  /// No client waits.
  case nothingWaits
  /// One connection has failed before it was taken, and is gone. The next may be good.
  case connectionFailed
  /// The next attempt would fail too. Also for numbers that nobody foresaw: to go on at once could be for ever.
  case cannotAccept

  init(errno number: Int32) {
    switch number {
    case EAGAIN, EWOULDBLOCK: self = .nothingWaits
    case _ where Self.ofOneConnection.contains(number): self = .connectionFailed
    default: self = .cannotAccept
    }
  }

  /// Linux hands on what the network has told of the connection that it takes from its queue: accept(2), "Error
  /// handling".
  private static let ofOneConnection: Set<Int32> = {
    var numbers: Set<Int32> = [
      ECONNABORTED, EINTR, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH,
    ]
    #if os(Linux)
      numbers.insert(ENONET)
    #endif
    return numbers
  }()
}

extension NetworkError {
  /// Whether descriptors or memory of the kernel are used up, so that it helps to close connections.
  package var isForWantOfRoom: Bool { errno.map([EMFILE, ENFILE, ENOBUFS, ENOMEM].contains) ?? false }
}
