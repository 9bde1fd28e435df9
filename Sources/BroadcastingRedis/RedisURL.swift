//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// Where a server is and who logs in there, as a URL says it.
struct RedisURL: Sendable, CustomStringConvertible {
  enum Place: Hashable, Sendable {
    case host(String, UInt16)
    case socket(SocketAddress)
  }

  let place: Place
  let isSecure: Bool
  let user: String?
  let password: String?
  let database: Int

  static let schemes = ["redis", "rediss", "unix"]
  private static let usualPort: UInt16 = 6379
  private static let encodingAdvice = "In a user and a password write @ as %40, : as %3A, / as %2F and ? as %3F"

  /// For messages: where it is, and no secret.
  var description: String {
    switch place {
    case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .socket(let address): address.host
    }
  }

  /// - Throws: An error with the code `invalidURL`.
  init(_ url: BackendURL) throws(BroadcastError) {
    let isSocket = url.scheme == "unix"
    isSecure = url.scheme == "rediss"
    guard !url.rest.utf8.contains(UInt8(ascii: "#")) else {
      throw Self.invalid(url, "a # begins a fragment, which it has none of; write %23 for the character")
    }
    let (beforeQuery, query) = Self.cut(url.rest[...], at: "?")
    let (authority, path) = Self.cut(beforeQuery, at: "/")
    let at = authority.lastIndex(of: "@")
    // A path of a socket may have one. Nothing else may that follows, so it ends a password with a slash or a question mark.
    guard at != nil || isSocket || !url.rest.contains("@") else {
      throw Self.invalid(url, "its password is not encoded, for an @ stands behind a / or ?. \(Self.encodingAdvice)")
    }
    (user, password) = try Self.credentials(authority[..<(at ?? authority.startIndex)], url)
    let host = at.map { authority[authority.index(after: $0)...] } ?? authority
    if isSocket {
      guard host.isEmpty, let path, !path.isEmpty else {
        throw Self.invalid(url, "the path of a socket follows after three slashes, as in unix:///run/redis/redis.sock")
      }
      guard let address = SocketAddress(path: try "/" + Self.decode(path, "path", url)) else {
        throw Self.invalid(url, "the path of a socket has at most some 100 bytes, and no NUL")
      }
      place = .socket(address)
      database = try Self.database(path: nil, query, url)
    } else {
      place = try Self.host(host, url)
      database = try Self.database(path: path, query, url)
    }
  }

  // MARK: Parts

  private static func host(_ place: Substring, _ url: BackendURL) throws(BroadcastError) -> Place {
    if place.first == "[" {
      let (digits, rest) = cut(place.dropFirst(), at: "]")
      let address = try decode(digits, "address in brackets", url)
      guard let rest, SocketAddress(digits: address, port: 0)?.family == .ipv6, rest.isEmpty || rest.first == ":" else {
        throw invalid(url, "what stands in brackets is no IPv6 address, or something else than a port follows")
      }
      return .host(address, try port(rest.dropFirst(), url))
    }
    let (name, digits) = cut(place, at: ":")
    let host = try decode(name, "host", url)
    guard host.utf8.allSatisfy({ isHostByte($0) }) else {
      throw invalid(url, "the host has a character that no host has; an IPv6 address stands in brackets")
    }
    return .host(host.isEmpty ? "localhost" : host, try port(digits ?? "", url))
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func port(_ digits: Substring, _ url: BackendURL) throws(BroadcastError) -> UInt16 {
    if digits.isEmpty { return usualPort }
    guard digits.utf8.allSatisfy(isDigit), let port = UInt16(digits), port > 0 else {
      throw invalid(url, "a port is a number from 1 to 65535. \(encodingAdvice)")
    }
    return port
  }

  /// A user without a password cannot log in; a password without a user is that of the user "default".
  private static func credentials(
    _ text: Substring, _ url: BackendURL
  ) throws(BroadcastError) -> (user: String?, password: String?) {
    let (name, secret) = cut(text, at: ":")
    let user = try decode(name, "user", url)
    guard let secret else {
      if user.isEmpty { return (nil, nil) }
      throw invalid(
        url, "a user needs a password, as in redis://user:password@host; an empty one is written user:@host")
    }
    let password = try decode(secret, "password", url)
    if user.isEmpty { return (nil, password.isEmpty ? nil : password) }
    return (user, password)
  }

  private static func database(
    path: Substring?, _ query: Substring?, _ url: BackendURL
  ) throws(BroadcastError) -> Int {
    var digits: Substring?
    if let path, !path.isEmpty { digits = path }
    for option in (query ?? "").split(separator: "&", omittingEmptySubsequences: true) {
      let (name, value) = cut(option, at: "=")
      guard name == "db", let value else {
        throw invalid(url, "it has an option other than db, as in ?db=1; that is the only one there is")
      }
      guard digits == nil else { throw invalid(url, "it names a database twice") }
      digits = value
    }
    guard let digits else { return 0 }
    guard !digits.isEmpty, digits.utf8.allSatisfy(isDigit), let number = Int32(digits) else {
      throw invalid(url, "a database is a number, as in redis://host/1")
    }
    return Int(number)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  // MARK: Text

  private static func cut(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
    guard let index = text.firstIndex(of: separator) else { return (text, nil) }
    return (text[..<index], text[text.index(after: index)...])
  }

  /// Undoes percent-encoding (RFC 3986, section 2.1).
  private static func decode(_ text: Substring, _ what: String, _ url: BackendURL) throws(BroadcastError) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte != UInt8(ascii: "%") {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      rest = rest.dropFirst(2)
      guard digits.count == 2, digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
        let value = UInt8(Substring(digits), radix: 16)
      else { throw invalid(url, "the \(what) has a % without two hexadecimal digits; a % itself is written as %25") }
      bytes.append(value)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw invalid(url, "the \(what) is not UTF-8 once its percent-encoding is undone")
    }
    return decoded
  }

  /// Repeats the scheme alone: in a URL that is none a password may stand anywhere, also where a user, a host or a port should.
  private static func invalid(_ url: BackendURL, _ what: String) -> BroadcastError {
    BroadcastError(.invalidURL, "The URL \(url.scheme)://… is none of a Redis server: \(what).")
  }
}
