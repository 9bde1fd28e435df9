//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import BroadcastingWeb
import TestSupport
import Testing

@Suite("A page of the program's own", .timeLimit(.minutes(1)))
struct PageRouteTests {
  @Test("a page and its files are beside each other, each of its type and under the policy")
  func filesBesideThePage() async throws {
    try await withServer(
      configure: { $0.endpoints = .health },
      routes: { routes in
        routes.page("/", Array("<p>".utf8), files: ["app.js": Array("1".utf8), "logo.svg": [], "data.bin": []])
        routes.page("/deep/page", Array("<b>".utf8), files: ["app.css": Array("p {}".utf8)])
      }
    ) { server in
      for (path, type, text) in [
        ("/", "text/html; charset=utf-8", "<p>"), ("/app.js", "text/javascript; charset=utf-8", "1"),
        ("/logo.svg", "image/svg+xml", ""), ("/data.bin", "application/octet-stream", ""),
        ("/deep/page", "text/html; charset=utf-8", "<b>"), ("/deep/app.css", "text/css; charset=utf-8", "p {}"),
      ] {
        let answer = try #require(try await server.connect().request(.get, path), "\(path)")
        #expect(answer.status == .ok && answer.text == text, "\(path)")
        #expect(answer.headers["Content-Type"] == type, "\(path)")
        #expect(answer.headers["X-Content-Type-Options"] == "nosniff", "\(path)")
        let policy = answer.headers["Content-Security-Policy"] ?? ""
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'; "), "\(path)")
        #expect(policy.contains("; connect-src 'self' ws://localhost wss://localhost"), "\(path)")
      }
      #expect(try await server.connect().request(.get, "/health")?.status == .ok)
      for path in ["/push", "/events", "/history", "/page.css"] {
        #expect(try await server.connect().request(.get, path)?.status == .notFound, "\(path)")
      }
    }
  }

  @Test("with a slash too many or too few it is elsewhere, where relative references lead to its files")
  func slashes() async throws {
    try await withServer(
      configure: { $0.endpoints = .health },
      routes: { routes in
        routes.page("/deep/page", Array("<b>".utf8), files: ["app.css": []])
        routes.mount("/folder") { $0.page("/", Array("<i>".utf8), files: ["app.js": []]) }
      }
    ) { server in
      for (path, place) in [
        ("/deep/page/", "../page"), ("/deep/page/?a=/b", "../page?a=/b"), ("/folder", "./folder/"),
        ("/folder?a", "./folder/?a"),
      ] {
        let answer = try await server.connect().request(.get, path)
        #expect(answer?.status == .temporaryRedirect && answer?.headers["Location"] == place, "\(path)")
      }
      for path in ["/deep/page?a=/b/", "/folder/", "/folder/?a", "/deep/app.css", "/folder/app.js"] {
        #expect(try await server.connect().request(.get, path)?.status == .ok, "\(path)")
      }
    }
  }
}
