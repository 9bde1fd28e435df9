//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The page that a request comes from, as browsers say it in the field `Origin` (RFC 6454, section 7).
struct WebOrigin: Hashable, Sendable {
  let scheme: String
  let host: HostName
  /// The port, also where it is the scheme's own; nil for none at all (`chrome-extension://…`).
  let port: UInt16?

  /// Nil for `null`, for several origins and for anything that is not `scheme://host` or `scheme://host:port`.
  init?(_ text: String) {
    guard let colon = text.utf8.firstIndex(of: .colon), text[colon...].hasPrefix("://") else { return nil }
    let scheme = text[..<colon].lowercased()
    let rest = text[text.index(colon, offsetBy: 3)...]
    guard Self.isScheme(scheme), let authority = Authority(rest) else { return nil }
    self.scheme = scheme
    host = authority.host
    port = authority.port ?? Self.defaultPort(of: scheme)
  }

  /// Whether a page of this origin was served by `authority`, whatever the scheme: TLS may end at a proxy, which speaks
  /// plain HTTP to us. Where `authority` says no port, the default of the origin's own scheme is meant.
  func isServed(by authority: Authority) -> Bool {
    guard let defaultPort = Self.defaultPort(of: scheme) else { return false }
    return host == authority.host && port == authority.port ?? defaultPort
  }

  private static func defaultPort(of scheme: String) -> UInt16? {
    switch scheme {
    case "http": 80
    case "https": 443
    default: nil
    }
  }

  private static func isScheme(_ text: String) -> Bool {
    guard let first = text.utf8.first, UInt8(ascii: "a")...UInt8(ascii: "z") ~= first else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), .zero ... .nine, .plus, .minus, .dot: true
      default: false
      }
    }
  }
}
