//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb
import COpenSSL

/// The page to look at a server: HTML, a style and a script, embedded in the program and sent as one file.
package struct Page: Sendable {
  private let head: [UInt8]
  private let body: [UInt8]
  /// Its style and script are named by their hashes.
  let policy: PagePolicy

  /// Joins the parts.
  package init() {
    let style = PackageResources.page_css
    let script = PackageResources.page_js
    let html = Self.replace(
      #"<link rel="stylesheet" href="page.css">"#, by: Array("<style>".utf8) + style + Array("</style>".utf8),
      in: PackageResources.page_html)
    let page = Self.replace(
      #"<script src="page.js"></script>"#, by: Array("<script>".utf8) + script + Array("</script>".utf8), in: html)
    let tag = page.firstRange(of: Self.bodyTag) ?? page.endIndex..<page.endIndex
    head = Array(page[..<tag.lowerBound])
    body = Array(page[tag.upperBound...])
    policy = PagePolicy(
      scripts: "'\(Self.hash(of: script))'", styles: "'\(Self.hash(of: style))'", others: ["img-src data:"])
  }

  /// The page as UTF-8.
  ///
  /// - Parameters:
  ///   - path: where it was asked for. What it names is seen from there, so that a proxy may have it below a path.
  ///   - push: the path of the endpoint; nil for none.
  ///   - events: the path of the endpoint; nil for none.
  ///   - history: the path of the endpoint; nil for none.
  package func html(at path: String, push: String?, events: String?, history: String?) -> [UInt8] {
    var tag = "<body"
    for (name, endpoint) in [("push", push), ("events", events), ("history", history)] {
      guard let endpoint else { continue }
      tag += " data-\(name)=\"\(Self.escaped(Self.reference(to: endpoint, from: path)))\""
    }
    return head + Array("\(tag)>".utf8) + body
  }

  /// As it stands in the file, which a browser can show by itself too.
  private static let bodyTag = Array(#"<body data-push="push" data-events="events" data-history="history">"#.utf8)

  private static func replace(_ tag: String, by block: [UInt8], in html: [UInt8]) -> [UInt8] {
    guard let range = html.firstRange(of: Array(tag.utf8)) else { return html }
    return html[..<range.lowerBound] + block + html[range.upperBound...]
  }

  /// A relative reference (RFC 3986, section 4.2). It begins with a dot, so that a colon behind it is no scheme's.
  ///
  /// By scalars, as browsers read it: a slash with a combining mark behind it is another `Character`.
  private static func reference(to endpoint: String, from path: String) -> String {
    let depth = path.utf8.count { $0 == .slash } - 1
    return (depth > 0 ? String(repeating: "../", count: depth) : "./")
      + String(Substring(endpoint.unicodeScalars.drop { $0 == "/" }))
  }

  /// A text inside of an attribute in double quotes. By scalars too: a quote ends it whatever combines with it.
  private static func escaped(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      case "<": result += "&lt;"
      default: result.unicodeScalars.append(scalar)
      }
    }
  }

  /// `sha256-…` of a block.
  private static func hash(of block: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    _ = SHA256(block, block.count, &digest)
    return "sha256-" + Base64.encode(digest)
  }
}
