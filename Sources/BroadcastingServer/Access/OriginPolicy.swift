//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Decides from where the server may be used: which peers, and, where the request comes from a browser, which pages.
///
/// Every page in a browser can open a WebSocket to, and post a plain text to, any server that the browser reaches, also
/// one on its own machine. Browsers say which page it is in the field `Origin`; other programs leave the field out.
///
/// - A peer of another machine is refused unless the policy allows other machines.
/// - A request without `Origin` passes then; to read a history it has to name such a host too, or to say that it is a program,
///   since browsers leave the field out where a page reads from its own server.
/// - A request with one must name in `Host` the loopback interface, an address, or a host which was allowed. Otherwise
///   a name under somebody's control that resolves to this machine would make that somebody's page the same origin.
/// - The page must be of the same origin, by host and port, or one that was allowed. The origin `null`, which belongs to
///   no page in particular, never is.
public struct OriginPolicy: Sendable {
  private let origins: Set<WebOrigin>
  private let allowsAnyOrigin: Bool
  private let hosts: Set<Authority>
  private let allowsOtherMachines: Bool

  /// Only this machine, and only pages that the server itself serves.
  public static let sameOrigin = OriginPolicy(allowed: [])

  /// All machines, which are not asked who they are, and only pages that the server itself serves.
  static let anyMachine = OriginPolicy(allowed: [], allowsOtherMachines: true)

  private init(allowed: Set<WebOrigin>, allowsOtherMachines: Bool = false) {
    origins = allowed
    allowsAnyOrigin = false
    hosts = []
    self.allowsOtherMachines = allowsOtherMachines
  }

  /// - Parameters:
  ///   - origins: pages of other origins that may use the server, such as `https://app.example`; `*` for all pages.
  ///   - hosts: names by which browsers may know this server, such as `events.example`; with a port, that port alone.
  ///   - allowsOtherMachines: whether peers of other machines may use the server, which asks nobody who he is.
  /// - Throws: ``OriginPolicyError`` for an origin or a host that is none.
  public init(
    origins: [String] = [], hosts: [String] = [], allowsOtherMachines: Bool = false
  ) throws(OriginPolicyError) {
    var allowedOrigins: Set<WebOrigin> = []
    for text in origins where text != "*" {
      guard let origin = WebOrigin(text) else { throw .invalidOrigin(text) }
      allowedOrigins.insert(origin)
    }
    var allowedHosts: Set<Authority> = []
    for text in hosts {
      guard let authority = Authority(text) else { throw .invalidHost(text) }
      allowedHosts.insert(authority)
    }
    self.origins = allowedOrigins
    self.allowsAnyOrigin = origins.contains("*")
    self.hosts = allowedHosts
    self.allowsOtherMachines = allowsOtherMachines
  }

  /// - Parameters:
  ///   - origin: the field `Origin`; nil when there is none.
  ///   - host: the field `Host`; nil when there is none.
  ///   - peerIsLoopback: whether the connection comes from this machine. Behind a proxy every peer does.
  /// - Returns: why the request is refused, to be answered with 403; nil when it may go on.
  package func refusal(origin: String?, host: String?, peerIsLoopback: Bool) -> OriginRefusal? {
    guard peerIsLoopback || allowsOtherMachines else { return .peer }
    guard let origin else { return nil }
    guard let authority = host.flatMap({ Authority($0) }) else { return .invalidHost(host) }
    guard isKnown(authority) else { return .unknownHost(authority) }
    guard origin != "null" else { return .nullOrigin }
    guard let page = WebOrigin(origin) else { return .foreignOrigin(origin) }
    guard allowsAnyOrigin || page.isServed(by: authority) || origins.contains(page) else {
      return .foreignOrigin(origin)
    }
    return nil
  }

  /// Why a request is refused that says no origin and reads what others published; nil when it may go on.
  ///
  /// Browsers leave the origin out where a page reads from its own server, and a name under somebody's control that resolves
  /// to this machine makes that somebody's page such a one. So `Host` must be known here too. A program that knows the server
  /// by another name shows by a field that it is no page: a page cannot set one that begins with `Sec-` (Fetch standard,
  /// "forbidden request-header").
  ///
  /// - Parameters:
  ///   - host: the field `Host`; nil when there is none, as browsers never leave it out.
  ///   - isProgram: whether the request has the field ``programField``.
  package func refusalOfReader(host: String?, isProgram: Bool) -> OriginRefusal? {
    guard !isProgram, let host else { return nil }
    guard let authority = Authority(host) else { return .invalidHost(host) }
    return isKnown(authority) ? nil : .unknownReader(authority)
  }

  /// The field by which a program says that it is no page, with any value.
  package static let programField = "Sec-Broadcast-Client"

  /// The origin to share answers with: that of a page of another origin which was allowed. Nil for all others, a page
  /// of the same origin too, which needs no leave to read what it is answered.
  ///
  /// - Parameters:
  ///   - origin: the field `Origin`; nil when there is none.
  ///   - host: the field `Host`; nil when there is none.
  package func sharedOrigin(_ origin: String?, host: String?) -> String? {
    guard let origin, let page = WebOrigin(origin), let authority = host.flatMap({ Authority($0) }), isKnown(authority)
    else { return nil }
    return origins.contains(page) || (allowsAnyOrigin && !page.isServed(by: authority)) ? origin : nil
  }

  private func isKnown(_ authority: Authority) -> Bool {
    authority.host.isAddress || authority.host.isLoopback || hosts.contains(authority)
      || hosts.contains(Authority(host: authority.host))
  }
}

/// Why a request may not use the server: status 403.
package struct OriginRefusal: Hashable, Sendable {
  /// The code as clients see it, such as `origin_not_allowed`.
  package let code: String
  /// What was wrong, and what of the policy would have to be another.
  package let message: String

  static let peer = OriginRefusal(
    code: "peer_not_allowed", message: "This server is for programs on its own machine.")

  static let nullOrigin = OriginRefusal(
    code: "origin_not_allowed",
    message: "The Origin \"null\" (a file, a sandboxed frame) is never allowed. Serve the page over http.")

  static let severalOrigins = OriginRefusal(
    code: "origin_not_allowed", message: "The request has several Origin fields. Browsers send one.")

  static func invalidHost(_ host: String?) -> OriginRefusal {
    let what = host.map { "The Host \"\(shown($0))\" is not a host with an optional port" } ?? "A Host is missing"
    return OriginRefusal(code: "host_not_allowed", message: "\(what). A request with an Origin needs one.")
  }

  static func unknownHost(_ authority: Authority) -> OriginRefusal {
    OriginRefusal(
      code: "host_not_allowed",
      message: "This server does not know itself as \(authority). If it should, allow the host \(authority.host).")
  }

  static func unknownReader(_ authority: Authority) -> OriginRefusal {
    OriginRefusal(
      code: "host_not_allowed",
      message: """
        This server does not know itself as \(authority), and a page could ask so. If it should, allow the host \
        \(authority.host); a program may send the field \(OriginPolicy.programField) instead, with any value.
        """)
  }

  static func foreignOrigin(_ origin: String) -> OriginRefusal {
    OriginRefusal(
      code: "origin_not_allowed",
      message: "Pages of \"\(shown(origin))\" may not use this server. If they should, allow their origin.")
  }

  /// As much of a client's text as is worth repeating.
  private static func shown(_ text: String) -> String { String(text.prefix(100)) }
}

/// An allowed origin or host that is none: a mistake in the configuration.
public struct OriginPolicyError: Error, Hashable, Sendable, CustomStringConvertible {
  public struct Code: Hashable, Sendable {
    private enum Name { case invalidOrigin, invalidHost }
    private let name: Name

    public static let invalidOrigin = Code(name: .invalidOrigin)
    public static let invalidHost = Code(name: .invalidHost)
  }

  public let code: Code
  /// What is wrong and what to write instead.
  public let message: String

  public var description: String { message }

  static func invalidOrigin(_ text: String) -> OriginPolicyError {
    OriginPolicyError(
      code: .invalidOrigin,
      message: "\"\(text)\" is no origin: write scheme://host or scheme://host:port without a path, or * for any page")
  }

  static func invalidHost(_ text: String) -> OriginPolicyError {
    OriginPolicyError(code: .invalidHost, message: "\"\(text)\" is no host: write host or host:port")
  }
}
