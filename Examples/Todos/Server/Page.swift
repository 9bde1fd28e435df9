//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer

/// The page, which talks to the API like any other client.
enum Page {
  static func add(to routes: inout Routes) {
    routes.get("/") { _ in file(PackageResources.page_html, "text/html") }
    routes.get("/page.css") { _ in file(PackageResources.page_css, "text/css") }
    routes.get("/page.js") { _ in file(PackageResources.page_js, "text/javascript") }
  }

  private static func file(_ bytes: [UInt8], _ type: String) -> HTTPResponse {
    .bytes(
      bytes, type: "\(type); charset=utf-8",
      headers: [
        "Content-Security-Policy": """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'none'
        """,
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
      ])
  }
}
