//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The URL of a backend, as far as it means the same for all: a scheme and a rest.
public struct BackendURL: Sendable, CustomStringConvertible {
  /// The whole, with whatever secret is in it.
  public let string: String

  /// What stands before "://", in lower case.
  public let scheme: String

  /// What stands behind "://".
  public let rest: String

  /// - Throws: ``BroadcastError/Code/invalidURL``; the message does not repeat the URL's secrets.
  public init(_ string: String) throws(BroadcastError) {
    let bytes = Array(string.utf8)
    var colon = 0
    while colon < bytes.count, Self.isSchemeByte(bytes[colon], isFirst: colon == 0) { colon += 1 }
    guard colon > 0, bytes[colon...].starts(with: "://".utf8) else {
      throw BroadcastError(
        .invalidURL, "A backend's URL begins with a scheme and \"://\", as \"memory://\" does; this one does not.")
    }
    guard !bytes.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
      throw BroadcastError(.invalidURL, "A URL holds no spaces or control characters; write them as %20 and the like.")
    }
    self.string = string
    scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
    rest = String(decoding: bytes[(colon + 3)...], as: UTF8.self)
  }

  /// The URL without its password and without its query, which may hold one too.
  public var description: String {
    let bytes = Array(rest.utf8)
    let authorityEnd = bytes.firstIndex { "/?#".utf8.contains($0) } ?? bytes.count
    let queryStart = bytes.firstIndex { "?#".utf8.contains($0) } ?? bytes.count
    let authority = bytes[..<authorityEnd]
    var text = scheme + "://"
    if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
      let user = authority[..<at].prefix { $0 != UInt8(ascii: ":") }
      text += String(decoding: user, as: UTF8.self)
      if user.count < at { text += ":***" }
      text += String(decoding: authority[at...], as: UTF8.self)
    } else if let colon = authority.firstIndex(of: UInt8(ascii: ":")),
      bytes[authorityEnd...].contains(UInt8(ascii: "@"))
    {
      // Perhaps a password with a slash or the like that is not encoded, which then seems to be a port and a path.
      return text + String(decoding: authority[...colon], as: UTF8.self) + "***"
    } else {
      text += String(decoding: authority, as: UTF8.self)
    }
    text += String(decoding: bytes[authorityEnd..<max(authorityEnd, queryStart)], as: UTF8.self)
    return queryStart < bytes.count ? text + (bytes[queryStart] == UInt8(ascii: "?") ? "?***" : "#***") : text
  }

  /// RFC 3986, section 3.1.
  private static func isSchemeByte(_ byte: UInt8, isFirst: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): !isFirst
    default: false
    }
  }
}
