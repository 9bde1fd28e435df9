//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingWeb

@Suite("Reading requests")
struct HTTPRequestParserTests {
  @Test("a request is read whole, with what its head says")
  func plain() throws {
    let request = try #require(
      firstRequest(
        "POST /push?channel=a HTTP/1.1\r\nHost: x:80\r\nX-A:  one two \t\r\nx-b:\r\nContent-Length: 2\r\n\r\nhi"))
    #expect(request.method == .post)
    #expect(request.target == "/push?channel=a")
    #expect(request.path == "/push")
    #expect(request.version == .http1_1)
    #expect(request.headers["x-a"] == "one two")
    #expect(request.headers["X-B"] == "")
    #expect(request.headers["x-c"] == nil)
    #expect(request.host == "x:80")
    #expect(request.body == Array("hi".utf8))
  }

  @Test(
    "what asks to keep the connection keeps it",
    arguments: [
      ("HTTP/1.1", "Host: x", "keep"), ("HTTP/1.1", "Host: x\r\nConnection: close", "close"),
      ("HTTP/1.1", "Host: x\r\nConnection: foo, Close", "close"), ("HTTP/1.0", "Host: x", "close"),
      ("HTTP/1.0", "Connection: keep-alive", "keep"),
    ])
  func keepAlive(_ version: String, _ fields: String, _ expected: String) {
    let reading = Reading.of("GET / \(version)\r\n\(fields)\r\n\r\n")
    #expect(reading.failure == nil)
    #expect(reading.requests.first?.hasSuffix(expected) == true)
  }

  @Test("pipelined requests come out one by one, and the rest stays")
  func pipelined() {
    let text = Array("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3".utf8)
    let parser = HTTPRequestParser()
    let (consumed, event) = text.withUnsafeBytes { parser.read($0) }
    guard case .request(let first, _) = event else {
      Issue.record("no request: \(event)")
      return
    }
    #expect(first.target == "/1")
    #expect(consumed == 28)
    #expect(parser.isIdle)
    let reading = Reading.of([text])
    #expect(reading.requests.count == 2)
    #expect(!reading.isIdle)
  }

  @Test("an upgrade stops at the byte behind the request")
  func upgrade() {
    let head = "GET /events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n"
    let text = Array(head.utf8) + [0x81, 0x80, 1, 2, 3, 4]
    let (consumed, event) = text.withUnsafeBytes { HTTPRequestParser().read($0) }
    #expect(consumed == head.utf8.count)
    guard case .request(let request, _) = event else {
      Issue.record("no request: \(event)")
      return
    }
    #expect(request.asksForWebSocket)
  }

  @Test("an upgrade that isn't known is a plain request, also with a body and with requests behind")
  func unknownUpgrade() {
    let reading = Reading.of(
      "POST / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n"
        + "Content-Length: 2\r\n\r\nhi"
        + "GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
        + "GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(reading.failure == nil)
    #expect(reading.requests.count == 3)
    #expect(reading.requests.first?.contains("hi keep") == true)
  }

  @Test("chunks are joined, extensions and trailer fields dropped")
  func chunked() {
    let reading = Reading.of(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-T: v\r\n\r\n"
        + "GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(reading.failure == nil)
    #expect(reading.requests.count == 2)
    #expect(reading.requests.first?.contains("hello! keep") == true)
    #expect(reading.requests.first?.contains("X-T") == false)
  }

  @Test("a client that waits is told to go on, once, and only in 1.1 with a body")
  func expectation() {
    let head = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n"
    #expect(Reading.of(head + "Content-Length: 2\r\n\r\nhi").continues == 1)
    #expect(Reading.of(head + "Content-Length: 0\r\n\r\n").continues == 0)
    #expect(Reading.of("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi").continues == 0)
    #expect(Reading.of("GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n").failure?.status == .expectationFailed)
  }

  @Test("whether a request has begun is known, for deadlines")
  func idle() {
    let parser = HTTPRequestParser()
    func feed(_ text: String) { _ = Array(text.utf8).withUnsafeBytes { parser.read($0) } }
    #expect(parser.isIdle)
    feed("\r\n")
    #expect(parser.isIdle, "an empty line is no request")
    feed("P")
    #expect(!parser.isIdle)
    feed("OST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
    #expect(!parser.isIdle)
    feed("hi")
    #expect(parser.isIdle)
  }

  @Test("the target's other forms name path and host")
  func forms() throws {
    let proxied = try #require(firstRequest("GET HTTP://a.b:1/p?q=1 HTTP/1.1\r\nHost: evil\r\n\r\n"))
    #expect(proxied.path == "/p")
    #expect(proxied.host == "a.b:1")
    let bare = try #require(firstRequest("GET http://a?q=1 HTTP/1.1\r\nHost: a\r\n\r\n"))
    #expect(bare.path == "/")
    #expect(try bare.query()["q"] == "1")
    #expect(try #require(firstRequest("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")).path == "*")
  }

  @Test("header values keep bytes beyond ASCII")
  func opaque() throws {
    let request = try #require(firstRequest("GET / HTTP/1.1\r\nHost: x\r\nX: é\r\n\r\n"))
    #expect(request.headers["x"] == "é")
  }

  @Test("a failure stays")
  func failureStays() {
    let parser = HTTPRequestParser()
    for _ in 0..<2 {
      let (_, event) = Array("GET  / HTTP/1.1\r\n\r\n".utf8).withUnsafeBytes { parser.read($0) }
      guard case .failed = event else {
        Issue.record("not failed: \(event)")
        return
      }
    }
  }
}
