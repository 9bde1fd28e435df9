//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingServer

@Suite("The page", .timeLimit(.minutes(1)))
struct PageTests {
  private let page = Page()
  private var html: String { html() }

  private func html(
    at path: String = "/", push: String? = "/push", events: String? = "/events", history: String? = "/history"
  ) -> String {
    String(decoding: page.html(at: path, push: push, events: events, history: history), as: UTF8.self)
  }

  @Test("it has one style block and one script block, as the policy names two hashes")
  func hasTwoBlocks() throws {
    for tag in ["style", "script"] {
      #expect(html.ranges(of: "<\(tag)").count == 1)
      #expect(html.ranges(of: "<\(tag)>").count == 1)
      #expect(html.ranges(of: "</\(tag)>").count == 1)
    }
    #expect(html.ranges(of: "<body").count == 1)
    // What was joined is not asked for.
    #expect(!html.contains("page.css") && !html.contains("page.js"))
    let policy = page.policy.text(host: nil)
    #expect(try #/script-src 'sha256-[A-Za-z0-9+/]{43}='/#.firstMatch(in: policy) != nil)
    #expect(try #/style-src 'sha256-[A-Za-z0-9+/]{43}='/#.firstMatch(in: policy) != nil)
    #expect(policy.hasPrefix("default-src 'none'; "))
    #expect(!policy.contains("unsafe"))
  }

  @Test("it names no address but its own, and has nothing that the policy forbids")
  func loadsNothing() {
    #expect(html.ranges(of: "://").count == html.ranges(of: "http://www.w3.org/2000/svg").count)
    for word in [
      " style=", " onclick=", " onload=", "innerHTML", "insertAdjacentHTML", "document.write", "eval(", " src=",
    ] {
      #expect(!html.contains(word), "\(word)")
    }
  }

  @Test("it has what its tests hold on to", arguments: ["state", "channels", "channel", "message", "push", "messages"])
  func hasHooks(id: String) {
    #expect(html.ranges(of: "id=\"\(id)\"").count == 1)
  }

  @Test(
    "it says where the endpoints are, seen from where it was asked for",
    arguments: [
      ("/", "/push", "./push"), ("/look", "/push", "./push"), ("/look/", "/push", "../push"),
      ("/a/look", "/api/v1/push", "../api/v1/push"), ("/", "/a:b", "./a:b"), ("/", "/", "./"),
      ("/", #"/"><script>&amp;"#, "./&quot;>&lt;script>&amp;amp;"),
      ("/", "/a\"\u{301}<\u{301}&\u{301}", "./a&quot;\u{301}&lt;\u{301}&amp;\u{301}"), ("/", "/\u{301}a", "./\u{301}a"),
    ])
  func namesEndpoints(path: String, endpoint: String, reference: String) {
    let html = html(at: path, push: endpoint, events: endpoint, history: endpoint)
    #expect(
      html.contains(
        #"<body data-push="\#(reference)" data-events="\#(reference)" data-history="\#(reference)">"#))
  }

  @Test("an endpoint that is switched off is not named")
  func namesNoEndpoints() {
    #expect(html(push: nil).contains(#"<body data-events="./events" data-history="./history">"#))
    #expect(html(push: nil, events: nil, history: nil).contains("<body>"))
  }

  @Test("the server's page names the endpoints where they are")
  func served() async throws {
    try await withServer { configuration in
      configuration.endpoints.page = "/look/at"
      configuration.endpoints.push = nil
      configuration.endpoints.events = "/api/listen"
      configuration.endpoints.history = nil
    } _: { server in
      let client = try await server.connect()
      #expect(try await client.request(.get, "/look/at")?.text.contains(#"<body data-events="../api/listen">"#) == true)
      #expect(try await client.request(.get, "/look/at/")?.text.contains(#""../../api/listen""#) == true)
    }
  }

  @Test("the policy names the sockets of the request's own host, if it is one")
  func namesHost() {
    #expect(page.policy.text(host: nil).hasSuffix("; connect-src 'self'"))
    #expect(
      page.policy.text(host: "a.example:80").hasSuffix(
        "connect-src 'self' ws://a.example:80 wss://a.example:80"))
    #expect(page.policy.text(host: "a; script-src *").hasSuffix("connect-src 'self'"))
    #expect(page.policy.text(host: "a\r\nb: c").hasSuffix("connect-src 'self'"))
  }
}
