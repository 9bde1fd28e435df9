//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The parts of a request target (RFC 9112 section 3.2), all still encoded.
struct HTTPTarget {
  /// Host and port, where the target is in the absolute form.
  let authority: Substring?
  let path: Substring

  /// What stands behind the first `?`; empty where there is none.
  let query: Substring

  init(_ target: String) {
    var rest = target[...]
    var authority: Substring?
    if let start = Self.authorityStart(target) {
      let end = target.utf8[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
      let bounds = start..<(end ?? target.endIndex)
      authority = target[bounds]
      rest = target[bounds.upperBound...]
    }
    self.authority = authority
    if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
      path = rest[..<mark]
      query = rest[rest.utf8.index(after: mark)...]
    } else {
      path = rest
      query = ""
    }
  }

  /// The index behind `http://` or `https://`, if the target begins so.
  private static func authorityStart(_ target: String) -> String.Index? {
    guard target.utf8.first != UInt8(ascii: "/") else { return nil }
    for scheme in ["http://", "https://"] where target.utf8.count >= scheme.utf8.count {
      if zip(target.utf8, scheme.utf8).allSatisfy({ ASCII.lowercased($0) == $1 }) {
        return target.utf8.index(target.startIndex, offsetBy: scheme.utf8.count)
      }
    }
    return nil
  }

  /// Whether this is a form of target which an origin server answers: a path, an `http` address, or the `*` of
  /// `OPTIONS`. What remains is the `host:port` of `CONNECT`, for proxies.
  static func isAnswerable(_ target: String, _ method: HTTPMethod) -> Bool {
    switch target.utf8.first {
    case UInt8(ascii: "/"): true
    case UInt8(ascii: "*"): target == "*" && method == .options
    default: HTTPTarget(target).authority.map { !$0.isEmpty && $0.utf8.allSatisfy(ASCII.isHost) } ?? false
    }
  }
}
