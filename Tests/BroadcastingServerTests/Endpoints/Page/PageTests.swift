//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingServer

@Suite("The page")
struct PageTests {
  private let html = String(decoding: Page.html, as: UTF8.self)

  @Test("it has one style block and one script block, as the policy names two hashes")
  func hasTwoBlocks() throws {
    for tag in ["style", "script"] {
      #expect(html.ranges(of: "<\(tag)").count == 1)
      #expect(html.ranges(of: "<\(tag)>").count == 1)
      #expect(html.ranges(of: "</\(tag)>").count == 1)
    }
    let policy = Page.contentSecurityPolicy(host: nil)
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

  @Test("the policy names the sockets of the request's own host, if it is one")
  func namesHost() {
    #expect(Page.contentSecurityPolicy(host: nil).hasSuffix("; connect-src 'self'"))
    #expect(
      Page.contentSecurityPolicy(host: "a.example:80").hasSuffix(
        "connect-src 'self' ws://a.example:80 wss://a.example:80"))
    #expect(Page.contentSecurityPolicy(host: "a; script-src *").hasSuffix("connect-src 'self'"))
    #expect(Page.contentSecurityPolicy(host: "a\r\nb: c").hasSuffix("connect-src 'self'"))
  }
}
