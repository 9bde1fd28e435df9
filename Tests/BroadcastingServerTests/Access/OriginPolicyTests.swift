//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingServer

@Suite("The origin policy")
struct OriginPolicyTests {
  /// What the policy says to a browser on this machine: `ok`, or the refusal's code.
  private func ask(_ origin: String?, _ host: String?, origins: [String] = [], hosts: [String] = []) throws -> String {
    let policy = try OriginPolicy(origins: origins, hosts: hosts)
    return policy.refusal(origin: origin, host: host, peerIsLoopback: true)?.code ?? "ok"
  }

  @Test(
    "a page of the same host and port passes, whatever the scheme",
    arguments: [
      ("http://localhost:8080", "localhost:8080"), ("https://localhost:8080", "localhost:8080"),
      ("http://127.0.0.1", "127.0.0.1"),
      ("https://127.0.0.1", "127.0.0.1"), ("http://127.0.0.1", "127.0.0.1:80"), ("http://127.0.0.1:80", "127.0.0.1"),
      ("https://127.0.0.1", "127.0.0.1:443"), ("https://127.0.0.1:443", "127.0.0.1"),
      ("http://[::1]:8080", "[::1]:8080"),
      ("http://[::1]", "[0:0:0:0:0:0:0:1]:80"), ("http://LocalHost:8080", "LOCALHOST:8080"),
      ("HTTP://localhost", "localhost"),
      ("http://localhost.:8080", "localhost:8080"), ("http://localhost:8080", "localhost.:8080"),
      ("http://localhost", "localhost:"),
      ("http://app.localhost:3000", "app.localhost:3000"), ("http://192.168.1.5:8080", "192.168.1.5:8080"),
      ("http://[2001:db8::5]:8080", "[2001:DB8:0::5]:8080"), ("http://[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"),
    ])
  func sameOrigin(origin: String, host: String) throws {
    #expect(try ask(origin, host) == "ok")
  }

  @Test(
    "a page of another host or port doesn't",
    arguments: [
      ("http://localhost:3000", "localhost:8080"), ("http://evil.example", "localhost:8080"),
      ("http://127.0.0.1:8080", "localhost:8080"),
      ("http://localhost:8080", "127.0.0.1:8080"), ("http://localhost", "localhost:8080"),
      ("http://localhost:8080", "localhost"),
      ("https://127.0.0.1", "127.0.0.1:80"), ("http://127.0.0.1", "127.0.0.1:443"),
      ("http://127.0.0.1:443", "127.0.0.1"),
      ("http://[::1]:8080", "127.0.0.1:8080"), ("http://localhost.evil.example:8080", "localhost:8080"),
      ("http://evil.localhost:8080", "localhost:8080"), ("chrome-extension://localhost", "localhost"),
      ("ftp://localhost:8080", "localhost:8080"),
    ])
  func foreignOrigin(origin: String, host: String) throws {
    #expect(try ask(origin, host) == "origin_not_allowed")
  }

  @Test(
    "an origin that is none is refused",
    arguments: [
      "null", "NULL", "", " ", "*", "localhost:8080", "//localhost:8080", "http:localhost", "http://",
      "http://localhost:8080/",
      "http://localhost:8080/path", "http://user@localhost:8080", "http://localhost:8080 http://localhost:8080",
      "http://localhost:8080, http://localhost:8080", "http://localhost:8080:8080", "http://localhost:+8080",
      "http://localhost:80a",
      "http://localhost:65536", "http://::1", "http://[::1", "http://::1]", "http://[::1]8080",
      "http://[127.0.0.1]:8080",
      "http://loc%61lhost:8080", "http://localhost\u{0}:8080", "http://\u{212a}.localhost:8080",
      "http ://localhost:8080", "1http://localhost:8080",
    ])
  func malformedOrigin(origin: String) throws {
    #expect(try ask(origin, "localhost:8080") == "origin_not_allowed")
    #expect(try ask(origin, "localhost:8080", origins: ["http://localhost"]) == "origin_not_allowed")
  }

  @Test("the origin null passes where it is allowed by itself, and not where any page may")
  func nullOrigin() throws {
    let policy = try OriginPolicy(allowsNullOrigin: true)
    #expect(policy.refusal(origin: "null", host: "localhost:8080", peerIsLoopback: true) == nil)
    #expect(policy.sharedOrigin("null", host: "localhost:8080") == "null")
    #expect(policy.refusal(origin: "null", host: "evil.example", peerIsLoopback: true)?.code == "host_not_allowed")
    #expect(policy.sharedOrigin("null", host: "evil.example") == nil)
    #expect(policy.refusal(origin: "https://a.example", host: "localhost", peerIsLoopback: true) != nil)
    #expect(try OriginPolicy(origins: ["*"]).sharedOrigin("null", host: "localhost") == nil)
    #expect(try ask("null", "localhost", origins: ["*"]) == "origin_not_allowed")
    #expect(throws: OriginPolicyError.self) { try OriginPolicy(origins: ["null"]) }
  }

  @Test(
    "with an origin, the host must be loopback, an address or allowed",
    arguments: [
      ("rebound.example:8080", "host_not_allowed"), ("localhost.example:8080", "host_not_allowed"),
      ("127.1:8080", "host_not_allowed"),
      ("0x7f.0.0.1:8080", "host_not_allowed"), ("127.0.0.01:8080", "host_not_allowed"),
      ("2130706433:8080", "host_not_allowed"),
      ("1.2.3:8080", "host_not_allowed"), ("1.2.3.4.5:8080", "host_not_allowed"),
      ("256.0.0.1:8080", "host_not_allowed"),
      ("127.0.0.1.example:8080", "host_not_allowed"), ("notlocalhost:8080", "host_not_allowed"),
      ("events.example:8080", "ok"),
      ("EVENTS.example.:8080", "ok"), ("only.example:8080", "ok"), ("only.example:8081", "host_not_allowed"),
      ("sub.events.example:8080", "host_not_allowed"), ("10.0.0.1:8080", "ok"), ("[fe80::1]:8080", "ok"),
    ])
  func unknownHost(host: String, answer: String) throws {
    // The page is of the very same host: only what we know about ourselves stands between.
    #expect(try ask("http://\(host)", host, hosts: ["events.example", "only.example:8080"]) == answer)
  }

  @Test(
    "with an origin, a host that is none is refused",
    arguments: [
      nil, "", " ", ":8080", "localhost:x", "localhost:99999", "localhost:-1", "a b", "a..b", ".a", "a/b", "[::1",
      "[fe80::1%25eth0]", "[]", "é",
    ] as [String?])
  func malformedHost(host: String?) throws {
    #expect(try ask("http://localhost", host) == "host_not_allowed")
  }

  @Test("an allowed host is needed also for an allowed origin")
  func bothAreNeeded() throws {
    #expect(try ask("https://app.example", "events.example", origins: ["https://app.example"]) == "host_not_allowed")
    #expect(
      try ask("https://app.example", "events.example", origins: ["https://app.example"], hosts: ["events.example"])
        == "ok")
    #expect(
      try ask("https://other.example", "events.example", origins: ["https://app.example"], hosts: ["events.example"])
        == "origin_not_allowed")
  }

  @Test("an allowed origin is compared with its scheme and port")
  func allowedOrigins() throws {
    let origins = ["https://App.example", "http://dev.example:3000", "chrome-extension://abcdef"]
    for (origin, answer) in [
      ("https://app.example", "ok"), ("https://app.example:443", "ok"), ("http://app.example", "origin_not_allowed"),
      ("https://app.example:8443", "origin_not_allowed"), ("http://dev.example:3000", "ok"),
      ("http://dev.example", "origin_not_allowed"),
      ("chrome-extension://abcdef", "ok"), ("chrome-extension://abcdeg", "origin_not_allowed"),
      ("https://sub.app.example", "origin_not_allowed"),
    ] {
      #expect(try ask(origin, "localhost:8080", origins: origins) == answer, "\(origin)")
    }
    #expect(try ask("https://anything.example", "localhost:8080", origins: ["*"]) == "ok")
    #expect(try ask("https://anything.example", "rebound.example", origins: ["*"]) == "host_not_allowed")
  }

  @Test("without an origin, this machine passes, and others only where the server is open")
  func peers() throws {
    let closed = try OriginPolicy()
    let open = try OriginPolicy(allowsOtherMachines: true)
    #expect(closed.refusal(origin: nil, host: "whatever", peerIsLoopback: true) == nil)
    #expect(closed.refusal(origin: nil, host: nil, peerIsLoopback: true) == nil)
    #expect(closed.refusal(origin: nil, host: "10.0.0.1", peerIsLoopback: false)?.code == "peer_not_allowed")
    #expect(
      closed.refusal(origin: "http://10.0.0.1", host: "10.0.0.1", peerIsLoopback: false)?.code == "peer_not_allowed")
    #expect(open.refusal(origin: nil, host: nil, peerIsLoopback: false) == nil)
    #expect(open.refusal(origin: "http://10.0.0.1", host: "10.0.0.1", peerIsLoopback: false) == nil)
    #expect(
      open.refusal(origin: "http://evil.example", host: "10.0.0.1", peerIsLoopback: false)?.code == "origin_not_allowed"
    )
  }

  @Test("a refusal says what would have to be allowed, and cuts what the client said")
  func refusalsHelp() throws {
    let policy = try OriginPolicy()
    let host = policy.refusal(origin: "http://a.example", host: "a.example:80", peerIsLoopback: true)
    #expect(host?.message.contains("allow the host a.example.") == true)
    let origin = policy.refusal(
      origin: "x" + String(repeating: "y", count: 10_000), host: "localhost", peerIsLoopback: true)
    #expect(origin?.message.contains("allow their origin") == true)
    #expect((origin?.message.utf8.count ?? .max) < 300)
  }

  @Test("what is no origin or no host is refused in the configuration")
  func badConfiguration() throws {
    for origin in ["", "app.example", "https://app.example/", "https://*.example", "null"] {
      let error = try #require(throws: OriginPolicyError.self) { try OriginPolicy(origins: [origin]) }
      #expect(error.code == .invalidOrigin)
    }
    for host in ["", "*", "http://a.example", "a.example/", "a:b"] {
      let error = try #require(throws: OriginPolicyError.self) { try OriginPolicy(hosts: [host]) }
      #expect(error.code == .invalidHost)
    }
  }

  @Test(
    "loopback is this machine and nothing else",
    arguments: [
      ("localhost", true), ("LOCALHOST.", true), ("a.b.localhost", true), ("127.0.0.1", true),
      ("127.255.255.255", true), ("[::1]", true),
      ("[::ffff:127.0.0.1]", true), ("0.0.0.0", false), ("[::]", false), ("128.0.0.1", false), ("10.0.0.1", false),
      ("localhost.example", false),
      ("mylocalhost", false), ("[::2]", false), ("[::ffff:10.0.0.1]", false), ("[::127.0.0.1]", false),
    ])
  func loopback(text: String, isLoopback: Bool) throws {
    #expect(try #require(HostName(text)).isLoopback == isLoopback)
  }

  @Test(
    "a host is shown in the spelling by which it is compared",
    arguments: [
      ("A.Example.", "a.example"), ("127.0.0.1", "127.0.0.1"), ("[2001:DB8:0:0::0005]", "[2001:db8::5]"),
      ("[::]", "[::]"),
    ])
  func spelling(text: String, shown: String) throws {
    #expect(try #require(HostName(text)).description == shown)
  }
}
