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

extension NetworkError {
  /// The failure of a system call or of libuv, whose error codes are the system's numbers negated.
  package init(_ what: String, status: Int32) {
    let number = -abs(status)
    let reason = String(cString: uv_strerror(number))
    let advice = Self.advice[abs(status)].map { "; \($0)" } ?? ""
    self.init(
      Self.codes[abs(status)] ?? .system, "\(what): \(reason) (\(String(cString: uv_err_name(number))))\(advice)",
      errno: abs(status))
  }

  package static func loopEnded(_ what: String) -> NetworkError {
    NetworkError(.closed, "\(what): the event loop has ended")
  }

  private static let codes: [Int32: Code] = [
    EADDRINUSE: .addressInUse, EADDRNOTAVAIL: .addressNotAvailable, EACCES: .permissionDenied, EPERM: .permissionDenied,
    ENETUNREACH: .unreachable, EHOSTUNREACH: .unreachable, ENETDOWN: .unreachable, ECONNREFUSED: .refused,
    ECONNRESET: .reset, EPIPE: .reset, ECONNABORTED: .reset, ETIMEDOUT: .timedOut, ENOENT: .notFound,
    EMFILE: .descriptorsExhausted, ENFILE: .descriptorsExhausted, EAFNOSUPPORT: .invalidAddress,
    ENAMETOOLONG: .invalidAddress, ECANCELED: .cancelled, EBADF: .closed,
  ]

  private static let advice: [Int32: String] = [
    EADDRINUSE: "stop what listens there, or choose another port (0 for any free one)",
    EADDRNOTAVAIL: "no interface of this machine has that address",
    EACCES: "ports below 1024 need a privilege",
    EMFILE: "raise the limit of open files (ulimit -n)",
    ENFILE: "the whole system is out of descriptors (fs.file-max)",
  ]
}
