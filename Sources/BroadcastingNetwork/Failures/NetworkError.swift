//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What went wrong on the network, with the place where it did.
public struct NetworkError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure, for a program to act on. More may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case addressInUse, addressNotAvailable, permissionDenied, unreachable, refused, reset, timedOut, notFound,
        lookUpFailed, descriptorsExhausted, invalidAddress, certificateRefused, tlsFailed, authoritiesUnusable,
        cancelled, closed, system
    }
    private let kind: Kind
    public var description: String { kind.rawValue }

    /// Another socket listens on the address.
    public static let addressInUse = Code(kind: .addressInUse)
    /// No interface of this machine has the address.
    public static let addressNotAvailable = Code(kind: .addressNotAvailable)
    /// The system does not allow it, as with a port below 1024.
    public static let permissionDenied = Code(kind: .permissionDenied)
    /// There is no way to the other machine.
    public static let unreachable = Code(kind: .unreachable)
    /// The other machine answered that nobody listens there.
    public static let refused = Code(kind: .refused)
    /// The connection broke off: by the peer, also in the middle of a TLS handshake, or since what came in a handshake was
    /// damaged on its way.
    public static let reset = Code(kind: .reset)
    /// The deadline passed, or the peer has not acknowledged for too long.
    public static let timedOut = Code(kind: .timedOut)
    /// The name, or the path of a Unix socket, does not exist.
    public static let notFound = Code(kind: .notFound)
    /// The name could not be looked up now; a retry may help.
    public static let lookUpFailed = Code(kind: .lookUpFailed)
    /// The process or the system has no descriptor left.
    public static let descriptorsExhausted = Code(kind: .descriptorsExhausted)
    /// The text is no address, or the system takes no such address.
    public static let invalidAddress = Code(kind: .invalidAddress)
    /// TLS: the peer could not prove that it is who it should be. Its certificate has expired, is for another name, or
    /// nobody who is trusted here vouches for it.
    public static let certificateRefused = Code(kind: .certificateRefused)
    /// TLS: no secure connection could be made, and the next attempt would end the same way: the peer does not speak TLS
    /// or none of its versions that are safe, or refused by an alert. Or one broke: by damage, or without a proper end.
    public static let tlsFailed = Code(kind: .tlsFailed)
    /// TLS: the file of trusted authorities can't be read, or holds none.
    public static let authoritiesUnusable = Code(kind: .authoritiesUnusable)
    /// The task was cancelled.
    public static let cancelled = Code(kind: .cancelled)
    /// The handle was closed, or its event loop has ended.
    public static let closed = Code(kind: .closed)
    /// Anything else the system reports: see ``NetworkError/errno``.
    public static let system = Code(kind: .system)
  }

  public let code: Code
  /// What was tried, what came of it and, where something can be done, what.
  public let message: String
  /// The system's error number, where the system reported one.
  public let errno: Int32?

  package init(_ code: Code, _ message: String, errno: Int32? = nil) {
    self.code = code
    self.message = message
    self.errno = errno
  }

  public var description: String { message }
}
