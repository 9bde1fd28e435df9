//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@testable import BroadcastingWeb

/// What is no request, and what it gets.
private let refusals: [String: (request: String, status: HTTPStatus)] = [
  "no HTTP": ("nonsense\r\n\r\n", .badRequest),
  "no host": ("GET / HTTP/1.1\r\n\r\n", .badRequest),
  "another version": ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", .badRequest),
  "an unknown method": ("FOO / HTTP/1.1\r\nHost: x\r\n\r\n", .badRequest),
  "a method in small letters": ("get / HTTP/1.1\r\nHost: x\r\n\r\n", .badRequest),
  "a long method": (String(repeating: "A", count: 40) + " / HTTP/1.1\r\nHost: x\r\n\r\n", .badRequest),
  "a long target": ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: x\r\n\r\n", .uriTooLong),
  "a long field": (
    "GET / HTTP/1.1\r\nHost: x\r\nA: \(String(repeating: "a", count: 40_000))\r\n\r\n", .requestHeaderFieldsTooLarge
  ),
  "a long body": ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", .contentTooLarge),
  "two lengths": (
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .badRequest
  ),
  "an expectation": ("GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n", .expectationFailed),
  "TLS": ("\u{16}\u{3}\u{1}\u{2}", .badRequest),
]

@Suite("What HTTP refuses, over a socket", .timeLimit(.minutes(1)))
struct HTTPRefusalTests {
  @Test("100 Continue comes before the body, and not where the client didn't wait")
  func expectContinue() async throws {
    try await withServer { server in
      let client = try await server.connect()
      let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
      await client.send(head)
      #expect(await client.response()?.status == .continue)
      await client.send("ab")
      #expect(await client.text() == "POST / ab")
      await client.send(head + "cd")
      #expect(await client.text() == "POST / cd")
    }
  }

  @Test("a body that would be too large gets a 413, and no 100 before it")
  func expectTooLarge() async throws {
    try await withServer(limits: HTTPLimits(bodyBytes: 10)) { server in
      let client = try await server.connect()
      await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
      #expect(await client.response()?.status == .contentTooLarge)
      #expect(await client.endsInOrder())
    }
  }

  @Test(
    "what is no request gets its status, and the connection ends, also behind good requests",
    arguments: refusals.keys.sorted())
  func refused(_ name: String) async throws {
    let (request, status) = try #require(refusals[name])
    try await withServer { server in
      for before in 0...1 {
        let client = try await server.connect()
        await client.send(String(repeating: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", count: before) + request)
        for _ in 0..<before { #expect(await client.response()?.status == .ok) }
        let response = await client.response()
        #expect(response?.status == status)
        #expect(response?.headers["Connection"] == "close")
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("who still sends a body that is refused can read why")
  func lingering() async throws {
    try await withServer(limits: HTTPLimits(bodyBytes: 10)) { server in
      let client = try await server.connect()
      let size = 8 << 20
      await client.send(
        Array("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n".utf8)
          + [UInt8](repeating: 65, count: size))
      // All of it went out, and nothing was lost to a reset.
      #expect(await client.unsent == 0)
      #expect(await client.response()?.status == .contentTooLarge)
      await client.finish()
      #expect(await client.endsInOrder())
    }
  }

  @Test("a client that neither reads nor closes behind the last response is closed all the same")
  func lingeringEnds() async throws {
    try await withServer { server in
      let client = try await server.connect()
      await client.get("/", "Connection: close\r\n")
      #expect(await client.response()?.status == .ok)
      server.stop()
      await server.ended()
    }
  }
}
