//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import BroadcastingWeb

@Suite("The opening handshake")
struct WebSocketHandshakeTests {
  static let fields: [(String, String)] = [
    ("Host", "x"), ("Upgrade", "h2c, WebSocket"), ("Connection", "keep-alive, Upgrade"),
    ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
  ]

  /// The example of RFC 6455 section 1.2 with some fields replaced or, by nil, left out.
  private func request(_ changes: [String: String?] = [:]) -> HTTPRequest {
    var request = HTTPRequest(target: "/events")
    for (name, value) in Self.fields { request.headers.append(name, value) }
    for (name, value) in changes { request.headers[name] = value }
    return request
  }

  @Test("the example of RFC 6455 is accepted")
  func accepted() {
    guard case .accept(let response, nil) = WebSocketHandshake.answer(request()) else {
      Issue.record("refused")
      return
    }
    #expect(response.status == .switchingProtocols)
    #expect(response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(response.headers["sec-websocket-extensions"] == nil)
  }

  static let refusals: [(String, String?, HTTPStatus)] = [
    ("Upgrade", nil, .upgradeRequired), ("Upgrade", "h2c", .upgradeRequired), ("Connection", nil, .badRequest),
    ("Connection", "keep-alive", .badRequest), ("Sec-WebSocket-Version", nil, .upgradeRequired),
    ("Sec-WebSocket-Version", "8", .upgradeRequired), ("Sec-WebSocket-Version", "13, 8", .upgradeRequired),
    ("Sec-WebSocket-Key", nil, .badRequest), ("Sec-WebSocket-Key", "", .badRequest),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", .badRequest),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQA=", .badRequest),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub2!jZQ==", .badRequest),
  ]

  @Test("what is missing or wrong is refused, with what would help", arguments: refusals)
  func refused(_ name: String, _ value: String?, _ status: HTTPStatus) {
    guard case .refuse(let response) = WebSocketHandshake.answer(request([name: value])) else {
      Issue.record("accepted")
      return
    }
    #expect(response.status == status)
    #expect(!response.body.isEmpty)
    #expect(response.headers["Sec-WebSocket-Version"] == (status == .upgradeRequired ? "13" : nil))
    #expect(response.headers["Upgrade"] == (status == .upgradeRequired ? "websocket" : nil))
  }

  @Test("other methods, and HTTP/1.0, are refused")
  func wrongRequests() {
    var post = request()
    post.method = .post
    var old = request()
    old.version = .http1_0
    for wrong in [post, old] {
      guard case .refuse(let response) = WebSocketHandshake.answer(wrong) else {
        Issue.record("accepted")
        return
      }
      #expect(response.status == .badRequest)
    }
  }

  @Test("two keys are refused")
  func twoKeys() {
    var twice = request()
    twice.headers.append("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    guard case .refuse = WebSocketHandshake.answer(twice) else {
      Issue.record("accepted")
      return
    }
  }

  @Test("the server's best subprotocol that the client offers is chosen")
  func subprotocol() {
    let offer = request(["Sec-WebSocket-Protocol": "a, b,c"])
    guard case .accept(let response, let chosen) = WebSocketHandshake.answer(offer, subprotocols: ["x", "c", "a"])
    else {
      Issue.record("refused")
      return
    }
    #expect(chosen == "c")
    #expect(response.headers["Sec-WebSocket-Protocol"] == "c")
  }

  @Test("a client accepts a server's answer to its own request, and no other")
  func client() throws {
    var generator = SeededGenerator(seed: 1)
    let client = WebSocketClientHandshake(host: "x", target: "/", subprotocols: ["a"], using: &generator)
    let other = WebSocketClientHandshake(host: "x", target: "/", using: &generator)
    guard case .accept(let response, _) = WebSocketHandshake.answer(client.request, subprotocols: ["a"]) else {
      Issue.record("refused")
      return
    }
    #expect(try client.check(response) == "a")
    #expect(throws: HTTPError.self) { try other.check(response) }
    for (name, value) in [
      ("Upgrade", nil), ("Connection", "close"), ("Sec-WebSocket-Accept", nil),
      ("Sec-WebSocket-Extensions", "permessage-deflate"), ("Sec-WebSocket-Protocol", "b"),
    ] as [(String, String?)] {
      var changed = response
      changed.headers[name] = value
      #expect(throws: HTTPError.self, "\(name)") { try client.check(changed) }
    }
    #expect(throws: HTTPError.self) { try client.check(HTTPResponse(status: .notFound)) }
  }
}
