//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingClient

@Suite("The URL of a server")
struct ServerURLTests {
  struct Expected: Sendable {
    var host: String
    var port: UInt16
    var hostField: String
    var path = ""
    var query = ""
    var isSecure = false
    var name: String
  }

  @Test(
    "is read in its parts",
    arguments: [
      ("http://localhost", Expected(host: "localhost", port: 80, hostField: "localhost", name: "http://localhost")),
      (
        "HTTPS://Example.org/",
        Expected(host: "Example.org", port: 443, hostField: "Example.org", isSecure: true, name: "https://Example.org")
      ),
      (
        "ws://a:8080/live/",
        Expected(host: "a", port: 8080, hostField: "a:8080", path: "/live", name: "http://a:8080/live")
      ),
      (
        "wss://a:443/x/y?t=1&u",
        Expected(
          host: "a", port: 443, hostField: "a", path: "/x/y", query: "t=1&u", isSecure: true, name: "https://a/x/y")
      ),
      ("http://a?t=1", Expected(host: "a", port: 80, hostField: "a", query: "t=1", name: "http://a")),
      ("http://a:/", Expected(host: "a", port: 80, hostField: "a", name: "http://a")),
      ("https://a:80", Expected(host: "a", port: 80, hostField: "a:80", isSecure: true, name: "https://a:80")),
      ("http://[::1]:8080", Expected(host: "::1", port: 8080, hostField: "[::1]:8080", name: "http://[::1]:8080")),
      (
        "http://[fe80::1%25eth0]",
        Expected(host: "fe80::1%eth0", port: 80, hostField: "[fe80::1]", name: "http://[fe80::1]")
      ),
      (
        "http://me:secret@a/b?token=secret",
        Expected(host: "a", port: 80, hostField: "a", path: "/b", query: "token=secret", name: "http://a/b")
      ),
    ])
  func parts(text: String, expected: Expected) throws {
    let url = try ServerURL(BackendURL(text))
    #expect(url.host == expected.host)
    #expect(url.port == expected.port)
    #expect(url.hostField == expected.hostField)
    #expect(url.basePath == expected.path)
    #expect(url.query == expected.query)
    #expect(url.isSecure == expected.isSecure)
    #expect(url.description == expected.name)
  }

  @Test(
    "is refused where it is none, without a secret in the error",
    arguments: [
      "ftp://a", "http://", "http:///push", "http://:80", "http://a:0", "http://a:65536", "http://a:x", "http://a:+1",
      "http://[::1", "http://[::1]x", "http://[1.2.3.4]", "http://[nonsense]", "http://[fe80::1%eth0]", "http://a#b",
      "http://ä", "http://a b", "http://a%41", "http://a/ä", "http://a?channel=x", "http://a?t=%zz", "http://a?%FF",
      "http://u%3a:secret@a", "http://u:secret%@a",
    ])
  func refused(text: String) {
    let error = #expect(throws: BroadcastError.self) { try ServerURL(BackendURL(text)) }
    #expect(error?.code == .invalidURL)
    #expect(error?.description.contains("secret") == false)
  }

  @Test(
    "its user and password are credentials",
    arguments: [
      ("http://user:pass@a", "Basic dXNlcjpwYXNz"), ("http://user@a", "Basic dXNlcjo="),
      ("http://u:p%40:%C3%A9@a", "Basic dTpwQDrDqQ=="),
    ])
  func credentials(text: String, header: String) throws {
    #expect(try ServerURL(BackendURL(text)).authorization == header)
  }

  @Test("an own Authorization goes before that of the URL; fields that are the client's own are refused")
  func headers() throws {
    let url = try ServerURL(BackendURL("http://user:pass@a"))
    var configuration = RemoteBroadcast.Configuration()
    configuration.headers = ["authorization": "Bearer x"]
    let requests = try ServerRequests(url, configuration)
    #expect(requests.probe.headers.values(of: "Authorization") == ["Bearer x"])
    let history = requests.history("a", HistoryQuery(.last(20_000)))
    #expect(history.headers.values(of: "Authorization") == ["Bearer x"])
    // No page can send it, so that a server known by another name answers.
    #expect(history.headers["Sec-Broadcast-Client"] != nil)
    #expect(history.target.hasSuffix("/history?channel=a&limit=256&last=20000"))
    for (name, value) in [
      ("Host", "x"), ("connection", "x"), ("Accept-Encoding", "gzip"), ("Sec-WebSocket-Key", "x"), ("a b", "x"),
      ("a", "x\r\ny"),
    ] {
      configuration.headers = [name: value]
      #expect(throws: BroadcastError.self) { try ServerRequests(url, configuration) }
    }
    configuration.headers = [:]
    for path in ["push", "", "/a?b", "/a b"] {
      configuration.pushPath = path
      #expect(throws: BroadcastError.self) { try ServerRequests(url, configuration) }
    }
  }
}
