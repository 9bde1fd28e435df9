//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer

/// The page, its style and its script.
enum Page {
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

  static func add(to routes: inout Routes) {
    for (path, type, bytes) in [
      ("/", "text/html", PackageResources.page_html), ("/page.css", "text/css", PackageResources.page_css),
      ("/page.js", "text/javascript", PackageResources.page_js),
    ] {
      routes.get(path) { _ in
        HTTPResponse(
          headers: [
            "Content-Type": "\(type); charset=utf-8", "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache",
          ], body: bytes)
      }
    }
  }
}
