//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer

/// The page: three files that stand in the program.
enum Site {
  private static let headers: HTTPHeaders = [
    // It loads its own files alone, and talks to its own server alone.
    "Content-Security-Policy": [
      "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src data:",
      "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    ].joined(separator: "; "),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
  ]

  static func addRoutes(to routes: inout Routes) {
    for (path, file, type) in [
      ("/", PackageResources.index_html, "text/html"),
      ("/app.css", PackageResources.app_css, "text/css"),
      ("/app.js", PackageResources.app_js, "text/javascript"),
    ] {
      routes.get(path) { _ in .bytes(file, type: "\(type); charset=utf-8", headers: headers) }
    }
  }
}
