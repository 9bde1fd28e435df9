//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingWeb

@Suite("Reading responses")
struct HTTPResponseParserTests {
  /// Status, body and whether the connection stays, for each response in the pieces and at their end.
  private func responses(_ pieces: [[UInt8]], answering method: HTTPMethod = .get) -> [String] {
    let parser = HTTPResponseParser(limits: HTTPLimits(headerBytes: 200, bodyBytes: 20))
    var results: [String] = []
    func note(_ event: HTTPResponseParser.Event?) {
      switch event {
      case .response(let response, let keepAlive):
        results.append(
          "\(response.status.code) \(String(decoding: response.body, as: UTF8.self)) \(keepAlive ? "keep" : "close")")
      case .failed(let error): results.append("\(error.code)")
      case .needsMore, nil: break
      }
    }
    for piece in pieces {
      var rest = piece[...]
      while !rest.isEmpty {
        let (consumed, event) = rest.withUnsafeBytes { parser.read($0, answering: method) }
        note(event)
        rest = rest.dropFirst(consumed)
        if case .failed = event { return results }
      }
    }
    note(parser.end())
    return results
  }

  static let table: [(String, [String])] = [
    (
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
      ["200 hi keep", "404  keep"]
    ),
    ("HTTP/1.1 200\r\nContent-Length: 1\r\nConnection: close\r\n\r\na", ["200 a close"]),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", ["200 hi keep"]),
    (
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n",
      ["100  keep", "204  keep", "304  keep"]
    ),
    ("HTTP/1.0 200 OK\r\n\r\nuntil the end", ["200 until the end close"]),
    ("HTTP/1.1 200 OK\r\n\r\n", ["200  close"]),
    ("HTTP/1.1 200 OK\r\n\r\nlonger than twenty bytes", ["bodyTooLarge"]),
    ("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", ["bodyTooLarge"]),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", ["malformed"]),
    ("HTTP/1.1 200 O", ["malformed"]),
    ("HTTP/1.1 2000 OK\r\n\r\n", ["malformed"]), ("HTTP/1.1 20 OK\r\n\r\n", ["malformed"]),
    ("HTTP/1.1 020 OK\r\n\r\n", ["malformed"]), ("HTTP/1.1  200 OK\r\n\r\n", ["malformed"]),
    ("HTTP/2 200\r\n\r\n", ["malformed"]), ("HTTP/1.1 200 \u{1}\r\n\r\n", ["malformed"]),
    ("HTTP/1.1 200 OK\n\n", ["malformed"]),
    ("HTTP/1.1 200 \(String(repeating: "a", count: 300))", ["headersTooLarge"]),
    ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", ["malformed"]),
    ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ["malformed"]),
  ]

  @Test("responses are read, or refused, however they are cut", arguments: table)
  func read(_ text: String, _ expected: [String]) {
    let bytes = Array(text.utf8)
    #expect(responses([bytes]) == expected)
    #expect(responses(Pieces.byteByByte(bytes)) == expected)
    for halves in Pieces.halves(bytes) where responses(halves) != expected {
      Issue.record("cut at \(halves[0].count)")
    }
  }

  @Test("a response to HEAD has no body, whatever its length says")
  func head() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    #expect(responses([Array(text.utf8)], answering: .head) == ["200  keep", "200  keep"])
  }

  @Test("behind a 101 the bytes stay")
  func upgrade() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    let (consumed, event) = (Array(head.utf8) + [0x81, 0x00]).withUnsafeBytes { HTTPResponseParser().read($0) }
    #expect(consumed == head.utf8.count)
    guard case .response(let response, _) = event else {
      Issue.record("no response: \(event)")
      return
    }
    #expect(response.status == .switchingProtocols)
  }
}
