//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// Where a server is, as its URL says it: `scheme://user:password@host:port/base/path?query`.
package struct ServerURL: Sendable, CustomStringConvertible {
  package let isSecure: Bool

  /// A name, or the digits of an address without brackets.
  package let host: String
  package let port: UInt16

  /// What stands before the server's own paths, without a slash at its end: empty, or as `/live`.
  let basePath: String

  /// Sent with every request, encoded as it came. Empty where there is none.
  let query: String

  /// Credentials, ready to be sent.
  let authorization: String?

  /// Host and port for the `Host` field.
  let hostField: String

  /// For messages: no credentials and no query, which may be one.
  package let description: String

  /// - Throws: An error with the code `invalidURL`.
  package init(_ url: BackendURL) throws(BroadcastError) {
    switch url.scheme {
    case "http", "ws": isSecure = false
    case "https", "wss": isSecure = true
    default: throw Self.invalid(url, "the scheme of a server is http, https, ws or wss")
    }
    guard url.rest.utf8.allSatisfy(ASCII.isTarget) else {
      throw Self.invalid(
        url, "it takes visible ASCII and no fragment (#): write names of other scripts in their xn-- form")
    }
    let authorityEnd = url.rest.utf8.firstIndex { "/?".utf8.contains($0) } ?? url.rest.endIndex
    let authority = url.rest[..<authorityEnd]
    let target = url.rest[authorityEnd...]
    let queryStart = target.firstIndex(of: "?") ?? target.endIndex
    query = String(target[queryStart...].dropFirst())
    basePath = Self.withoutLastSlashes(target[..<queryStart])
    let at = authority.lastIndex(of: "@")
    authorization = try at.map { (at) throws(BroadcastError) in try Self.credentials(authority[..<at], url) }
    let place = at.map { authority[authority.index(after: $0)...] } ?? authority
    let (host, isIPv6, digits) = try Self.split(place, url)
    self.host = host
    let usual: UInt16 = isSecure ? 443 : 80
    guard let port = digits.isEmpty ? usual : UInt16(digits), port > 0, digits.allSatisfy(\.isNumber) else {
      throw Self.invalid(url, "a port is a number from 1 to 65535")
    }
    self.port = port
    // A zone means something on this machine alone (RFC 6874 section 1).
    let name = isIPv6 ? "[\(host.prefix { $0 != "%" })]" : host
    hostField = port == usual ? name : "\(name):\(port)"
    description = "\(isSecure ? "https" : "http")://\(hostField)\(basePath)"
    try checkQuery(url)
  }

  /// The channel's place in a request is ours.
  private func checkQuery(_ url: BackendURL) throws(BroadcastError) {
    let pairs: HTTPQuery
    do throws(HTTPError) { pairs = try HTTPQuery(encoded: query[...]) } catch { throw Self.invalid(url, error.message) }
    if pairs["channel"] != nil {
      throw Self.invalid(url, "a channel is no part of the server's URL, but named when publishing and subscribing")
    }
  }

  private static func split(
    _ place: Substring, _ url: BackendURL
  ) throws(BroadcastError) -> (host: String, isIPv6: Bool, port: Substring) {
    if place.first == "[" {
      guard let end = place.firstIndex(of: "]") else { throw invalid(url, "the ] behind an IPv6 address is missing") }
      var host = String(place[place.index(after: place.startIndex)..<end])
      if let zone = host.firstIndex(of: "%") {
        guard host[zone...].hasPrefix("%25") else { throw invalid(url, "the zone of an IPv6 address begins with %25") }
        host.removeSubrange(host.index(after: zone)...host.index(zone, offsetBy: 2))
      }
      let rest = place[place.index(after: end)...]
      guard SocketAddress(digits: host, port: 0)?.family == .ipv6, rest.isEmpty || rest.first == ":" else {
        throw invalid(url, "what stands in brackets is no IPv6 address, or something else than a port follows")
      }
      return (host, true, rest.dropFirst())
    }
    let colon = place.firstIndex(of: ":") ?? place.endIndex
    let host = place[..<colon]
    guard !host.isEmpty, host.utf8.allSatisfy(isHostByte) else {
      throw invalid(url, "the host is missing, or has a character that no host has")
    }
    return (String(host), false, place[colon...].dropFirst())
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// RFC 7617 section 2.
  private static func credentials(_ text: Substring, _ url: BackendURL) throws(BroadcastError) -> String {
    let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
    var bytes: [UInt8] = []
    guard PercentEncoding.append(text.utf8[..<colon], to: &bytes, plusIsSpace: false),
      !bytes.contains(UInt8(ascii: ":"))
    else { throw invalid(url, "the user's name has a colon, or a % without two hexadecimal digits") }
    bytes.append(UInt8(ascii: ":"))
    guard PercentEncoding.append(text.utf8[colon...].dropFirst(), to: &bytes, plusIsSpace: false) else {
      throw invalid(url, "the password has a % without two hexadecimal digits; write a % itself as %25")
    }
    return "Basic " + Base64.encode(bytes)
  }

  private static func withoutLastSlashes(_ path: Substring) -> String {
    var path = path
    while path.last == "/" { path.removeLast() }
    return String(path)
  }

  private static func invalid(_ url: BackendURL, _ what: String) -> BroadcastError {
    BroadcastError(.invalidURL, "\(url): \(what).")
  }
}
