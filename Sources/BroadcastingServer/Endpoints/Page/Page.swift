//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import COpenSSL

/// The page to look at a server: one HTML file, embedded in the program, with one style and one script block.
package enum Page {
  /// The page as UTF-8.
  package static let html = PackageResources.page_html

  /// The field `Content-Security-Policy` that belongs to the page: nothing is loaded or run but what stands in the file,
  /// whose two blocks are named by their hashes (Content Security Policy Level 3, section 2.3.1), and it connects to
  /// its own server alone.
  ///
  /// - Parameter host: the request's field `Host`. Browsers before 2022 don't take a WebSocket of the same host for
  ///   `'self'`, so it is named too, if it is one.
  package static func contentSecurityPolicy(host: String?) -> String {
    var connect = "connect-src 'self'"
    if let authority = host.flatMap({ Authority($0) }) { connect += " ws://\(authority) wss://\(authority)" }
    return "\(fixedPolicy); \(connect)"
  }

  private static let fixedPolicy = [
    "default-src 'none'",
    "script-src '\(hash(ofBlock: "script"))'",
    "style-src '\(hash(ofBlock: "style"))'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].joined(separator: "; ")

  /// `sha256-…` of what stands between the tags of the page's one block of a kind.
  private static func hash(ofBlock tag: String) -> String {
    let start = html.firstRange(of: Array("<\(tag)>".utf8))?.upperBound ?? html.endIndex
    let end = html[start...].firstRange(of: Array("</\(tag)>".utf8))?.lowerBound ?? html.endIndex
    let block = Array(html[start..<end])
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    _ = SHA256(block, block.count, &digest)
    // Four characters for each three bytes begun, and the NUL which EVP_EncodeBlock sets behind them.
    var base64 = [UInt8](repeating: 0, count: (digest.count + 2) / 3 * 4 + 1)
    let length = EVP_EncodeBlock(&base64, digest, Int32(digest.count))
    return "sha256-" + String(decoding: base64.prefix(Int(length)), as: UTF8.self)
  }
}
