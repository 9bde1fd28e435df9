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
}
