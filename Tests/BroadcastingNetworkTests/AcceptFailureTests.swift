//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct AcceptFailureTests {
  @Test("no client waits", arguments: [EAGAIN, EWOULDBLOCK])
  func nothingWaits(_ number: Int32) {
    #expect(AcceptFailure(errno: number) == .nothingWaits)
  }

  @Test(
    "the failure of one connection leaves the others",
    arguments: [
      ECONNABORTED, EINTR, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH,
    ])
  func connectionFailed(_ number: Int32) {
    #expect(AcceptFailure(errno: number) == .connectionFailed)
  }

  @Test(
    "what would come back at the next attempt, and what nobody foresaw, waits",
    arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL, EBADF, EPERM, ENOSYS, ENOTSOCK, EFAULT, 0, -1, 4095])
  func cannotAccept(_ number: Int32) {
    #expect(AcceptFailure(errno: number) == .cannotAccept)
  }

  @Test("only room is made by closing connections")
  func wantOfRoom() {
    for number in [EMFILE, ENFILE, ENOBUFS, ENOMEM] {
      #expect(NetworkError("accept", status: number).isForWantOfRoom)
    }
    for number in [EINVAL, EBADF, EPERM] { #expect(!NetworkError("accept", status: number).isForWantOfRoom) }
    #expect(!NetworkError(.closed, "closed").isForWantOfRoom)
  }
}
