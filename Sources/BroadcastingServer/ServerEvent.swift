//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a server tells the program that runs it, for a log or a metric.
public struct ServerEvent: Sendable {
  /// What happened. More kinds may be added, so a `switch` needs a `default`.
  public struct Kind: Sendable, Hashable, CustomStringConvertible {
    private enum Value: String {
      case listening, acceptingHeld, acceptingResumed, handlerFailed, socketFailed, brokerFailed
    }
    private let value: Value

    /// Connections are accepted at `addresses`, such as `127.0.0.1:8080`.
    public static let listening = Kind(value: .listening)
    /// No connection can be accepted now, most likely for want of descriptors; `reason` says why. It is told once, and
    /// tried on.
    public static let acceptingHeld = Kind(value: .acceptingHeld)
    /// Connections are accepted again.
    public static let acceptingResumed = Kind(value: .acceptingResumed)
    /// The handler of a request at `path` threw an `error` that is not meant for clients. They got a 500.
    public static let handlerFailed = Kind(value: .handlerFailed)
    /// The same of a socket's handler, whose socket was closed with 1011.
    public static let socketFailed = Kind(value: .socketFailed)
    /// Publishing or subscribing failed with an `error` of the broker: for a request at `path`, or without one for a socket
    /// that was open. Clients got a short text which names no address. While the broker is away it is told for each request.
    public static let brokerFailed = Kind(value: .brokerFailed)

    public var description: String { value.rawValue }
  }

  public var kind: Kind
  public var addresses: [String]?
  public var reason: String?
  public var path: String?
  public var error: (any Error)?

  public init(
    _ kind: Kind, addresses: [String]? = nil, reason: String? = nil, path: String? = nil, error: (any Error)? = nil
  ) {
    self.kind = kind
    self.addresses = addresses
    self.reason = reason
    self.path = path
    self.error = error
  }
}

extension ServerEvent: CustomStringConvertible {
  public var description: String {
    var text = kind.description
    if let addresses { text += " addresses=\(addresses.joined(separator: ","))" }
    if let reason { text += " reason=\(reason)" }
    if let path { text += " path=\(path)" }
    if let error { text += " error=\(error)" }
    return text
  }
}
