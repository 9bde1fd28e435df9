//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// The page to look at the server.
enum PageEndpoint {
  static func answer(_ request: Request) -> HTTPResponse {
    .bytes(
      Page.html, type: "text/html; charset=utf-8",
      headers: [
        "Content-Security-Policy": Page.contentSecurityPolicy(host: request.http.host),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
      ])
  }
}
