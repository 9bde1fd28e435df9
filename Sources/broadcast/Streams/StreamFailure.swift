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

/// Why standard input or output is of no more use.
struct StreamFailure: Error, Hashable, Sendable {
  /// The kind of failure, for the caller to act on.
  struct Code: Hashable, Sendable {
    private enum Kind { case closed, cancelled, system }
    private let kind: Kind

    /// Nobody reads the other end any more.
    static let closed = Code(kind: .closed)
    /// The waiting task was cancelled.
    static let cancelled = Code(kind: .cancelled)
    /// What else the system reports.
    static let system = Code(kind: .system)
  }

  let code: Code
  /// What was tried and what came of it.
  let message: String

  static let closed = StreamFailure(code: .closed, message: "nobody reads the output any more")
  static let cancelled = StreamFailure(code: .cancelled, message: "the task was cancelled")

  /// The failure of a system call.
  static func system(_ what: String, errno number: Int32) -> StreamFailure {
    number == EPIPE ? .closed : StreamFailure(code: .system, message: "\(what): \(String(cString: strerror(number)))")
  }
}
