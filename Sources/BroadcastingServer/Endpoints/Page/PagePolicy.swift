//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// What a page may do, as the field `Content-Security-Policy` says it (Content Security Policy Level 3): nothing is loaded or
/// run but what is named, and it connects to its own server alone.
struct PagePolicy: Sendable {
  private let fixed: String

  /// - Parameters:
  ///   - scripts: the sources of scripts, such as `'self'`, or the hash of one that stands in the page (section 2.3.1).
  ///   - styles: the same for styles.
  ///   - others: further directives.
  init(scripts: String, styles: String, others: [String] = []) {
    fixed =
      ([
        "default-src 'none'", "script-src \(scripts)", "style-src \(styles)", "base-uri 'none'", "form-action 'none'",
        "frame-ancestors 'none'", "require-trusted-types-for 'script'",
      ] + others).joined(separator: "; ")
  }

  /// - Parameter host: the request's field `Host`. Browsers before 2022 don't take a WebSocket of the same host for
  ///   `'self'`, so it is named too, if it is one.
  func text(host: String?) -> String {
    var connect = "connect-src 'self'"
    if let authority = host.flatMap({ Authority($0) }) { connect += " ws://\(authority) wss://\(authority)" }
    return "\(fixed); \(connect)"
  }

  /// The fields of a page, or of a file that belongs to one.
  func headers(host: String?) -> HTTPHeaders {
    [
      "Content-Security-Policy": text(host: host), "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
    ]
  }
}
