//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// The page to look at the server.
struct PageEndpoint: Sendable {
  private let page = Page()
  let endpoints: BroadcastServer.Endpoints

  func answer(_ request: Request) -> HTTPResponse {
    let html = page.html(
      at: request.http.path, push: endpoints.push, events: endpoints.events,
      history: endpoints.history)
    return .bytes(html, type: "text/html; charset=utf-8", headers: page.policy.headers(host: request.http.host))
  }
}
