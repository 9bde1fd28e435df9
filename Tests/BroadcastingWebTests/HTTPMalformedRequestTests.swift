//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingWeb

@Suite("Refusing requests")
struct HTTPMalformedRequestTests {
  static let get = "GET / HTTP/1.1\r\nHost: x\r\n"
  static let post = "POST / HTTP/1.1\r\nHost: x\r\n"
  static let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"

  static let malformed: [String] = [
    // Start lines.
    "GET /\r\n", "GET /\r\n\r\n", "GET / HTTP/0.9\r\nHost: x\r\n\r\n", "GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "GET / HTTP/1.10\r\nHost: x\r\n\r\n", "GET / http/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", "GET / ICE/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /  HTTP/1.1\r\nHost: x\r\n\r\n", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n",
    " GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET HTTP/1.1\r\nHost: x\r\n\r\n", "G\u{0}T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "BREW /a b HTTP/1.1\r\nHost: x\r\n\r\n", "BREW / HTTP/2.0\r\nHost: x\r\n\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "\rGET / HTTP/1.1\r\n\r\n",
    "\u{16}\u{3}\u{1}\u{2}\u{0}",
    // Targets.
    "GET /é HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /\u{1} HTTP/1.1\r\nHost: x\r\n\r\n", "GET /\u{7f} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "GET /#f HTTP/1.1\r\nHost: x\r\n\r\n", "GET x HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n",
    "GET http:/// HTTP/1.1\r\nHost: x\r\n\r\n", "GET ftp://a/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://u@a/ HTTP/1.1\r\nHost: x\r\n\r\n",
    // Lines and fields.
    "GET / HTTP/1.1\nHost: x\n\n", get + "A: b\n\r\n", get + "\n", get + "A: b\rC: d\r\n\r\n", get + "\r\r\n",
    get + "A: b\r\r\n\r\n", get + ": b\r\n\r\n", get + "A b: c\r\n\r\n", get + "A : c\r\n\r\n", get + "A\r\n\r\n",
    get + "A: b\r\n c\r\n\r\n", get + "A: b\r\n\tc\r\n\r\n", "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    get + "A: \u{0}\r\n\r\n", get + "A: a long value with \u{1} in its middle\r\n\r\n", get + "A: \u{7f}\r\n\r\n",
    get + "É: b\r\n\r\n", get + "A\u{0}: b\r\n\r\n",
    // Host.
    "GET / HTTP/1.1\r\n\r\n", get + "Host: x\r\n\r\n", get + "host: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n",
    // Lengths.
    post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\na",
    post + "Content-Length: 1, 1\r\n\r\na", post + "Content-Length: +1\r\n\r\na", post + "Content-Length: -1\r\n\r\na",
    post + "Content-Length: 0x1\r\n\r\na", post + "Content-Length: 1 1\r\n\r\na", post + "Content-Length:\r\n\r\n",
    post + "Content-Length: 99999999999999999999\r\n\r\n",
    post + "Content-Length: 184467440737095516170000\r\n\r\n",
    post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    post + "Transfer-Encoding: identity\r\n\r\n", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", post + "Transfer-Encoding:\r\n\r\n",
    post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    // Chunks.
    chunked + "5\nhello\r\n0\r\n\r\n", chunked + "5\r\nhelloXX0\r\n\r\n", chunked + "5\r\nhello\rX0\r\n\r\n",
    chunked + "5\r\nhello\n0\r\n\r\n", chunked + "5\rXhello\r\n0\r\n\r\n", chunked + "0x5\r\nhello\r\n0\r\n\r\n",
    chunked + "+5\r\nhello\r\n0\r\n\r\n", chunked + " 5\r\nhello\r\n0\r\n\r\n", chunked + "5 \r\nhello\r\n0\r\n\r\n",
    chunked + "-5\r\n", chunked + "\r\n", chunked + "5;a\rb\r\nhello\r\n0\r\n\r\n", chunked + "5;a\nb\r\nhello\r\n",
    chunked + "0\r\n\n", chunked + "0\r\n\rX", chunked + "0\r\nA: b\n\r\n", chunked + "0\r\nA b\r\n\r\n",
    chunked + "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    // Upgrades.
    "POST / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    get + "Upgrade: WebSocket\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\na",
    get + "Upgrade: websocket\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ]

  @Test("what two programs could read differently is 400, however it is cut", arguments: malformed)
  func refused(_ text: String) {
    let bytes = Array(text.utf8)
    let whole = Reading.of([bytes])
    #expect(whole.failure?.code == .malformed)
    #expect(whole.requests.isEmpty)
    #expect(Reading.of(Pieces.byteByByte(bytes)).failure?.code == .malformed)
    for halves in Pieces.halves(bytes) where Reading.of(halves).failure?.code != .malformed {
      Issue.record("cut at \(halves[0].count)")
    }
  }

  @Test(
    "a method that nobody knows is 400 with a code of its own, however it is cut",
    arguments: [
      "BREW", "FOO", "get", "GETS", "GE", "!#$%&'*+-.^_`|~09", "DESCRIBE", "ICE", String(repeating: "A", count: 32),
      String(repeating: "A", count: 33), String(repeating: "A", count: 500),
    ])
  func unknownMethod(_ method: String) {
    let bytes = Array("\(method) / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi".utf8)
    let whole = Reading.of([bytes])
    #expect(whole.failure?.code == .unknownMethod)
    #expect(whole.failure?.status == .badRequest)
    #expect(whole.requests.isEmpty)
    #expect(Reading.of(Pieces.byteByByte(bytes)) == whole)
    for halves in Pieces.halves(bytes) where Reading.of(halves) != whole {
      Issue.record("cut at \(halves[0].count)")
    }
  }

  static let limits = HTTPLimits(targetBytes: 20, headerBytes: 100, headerFields: 3, bodyBytes: 10)

  static let bounds: [(String, HTTPStatus?)] = [
    ("GET /" + String(repeating: "a", count: 19) + " HTTP/1.1\r\nHost: x\r\n\r\n", nil),
    ("GET /" + String(repeating: "a", count: 20) + " HTTP/1.1\r\nHost: x\r\n\r\n", .uriTooLong),
    ("GET /" + String(repeating: "a", count: 500), .uriTooLong),
    (get + "A: \(String(repeating: "a", count: 84))\r\n\r\n", nil),
    (get + "A: \(String(repeating: "a", count: 85))\r\n\r\n", .requestHeaderFieldsTooLarge),
    (get + "A: \(String(repeating: "a", count: 800))", .requestHeaderFieldsTooLarge),
    (get + "A:\(String(repeating: " ", count: 800))", .requestHeaderFieldsTooLarge),
    (get + String(repeating: "a", count: 800), .requestHeaderFieldsTooLarge),
    (get + "A: b\r\nC: d\r\n\r\n", nil),
    (get + "A: b\r\nC: d\r\nE: f\r\n\r\n", .requestHeaderFieldsTooLarge),
    (post + "Content-Length: 10\r\n\r\n0123456789", nil),
    (post + "Content-Length: 11\r\n\r\n", .contentTooLarge),
    (post + "Content-Length: 9999999999999999999\r\n\r\n", .contentTooLarge),
    (chunked + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", nil),
    (chunked + "5\r\n01234\r\n6\r\n", .contentTooLarge),
    (chunked + "ffffffffffffffff\r\n", .contentTooLarge),
    (chunked + "1;\(String(repeating: "a", count: 300))", .requestHeaderFieldsTooLarge),
    (chunked + "1\r\na\r\n0\r\nA: \(String(repeating: "a", count: 300))", .requestHeaderFieldsTooLarge),
  ]

  @Test("each limit is met to the byte, however it is cut", arguments: bounds)
  func limit(_ text: String, _ status: HTTPStatus?) {
    let bytes = Array(text.utf8)
    let whole = Reading.of([bytes], limits: Self.limits)
    #expect(whole.failure?.status == status)
    #expect(whole.requests.count == (status == nil ? 1 : 0))
    #expect(Reading.of(Pieces.byteByByte(bytes), limits: Self.limits) == whole)
    for halves in Pieces.halves(bytes) where Reading.of(halves, limits: Self.limits) != whole {
      Issue.record("cut at \(halves[0].count)")
    }
  }

  @Test("a body that is announced too large is refused before it comes")
  func announced() {
    let text = Self.post + "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    let reading = Reading.of(text)
    #expect(reading.failure?.code == .bodyTooLarge)
    #expect(reading.continues == 0)
  }

  @Test(
    "the error of a body that is too large brings the request, no other one does",
    arguments: [
      ("Content-Length: 6\r\n\r\n", "/push"), ("Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n0\r\n\r\n", "/push"),
      ("Transfer-Encoding: chunked\r\n\r\nx", nil), ("Content-Length: x\r\n\r\n", nil),
    ])
  func bringsRequest(rest: String, target: String?) {
    let reading = Reading.of("POST /push HTTP/1.1\r\nHost: x\r\n\(rest)", limits: HTTPLimits(bodyBytes: 5))
    #expect(reading.failure != nil)
    #expect(reading.failure?.request?.target == target)
  }
}
