//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "Bytes that no polite client sends", .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
  .timeLimit(.minutes(3)))
struct RawRequestTests {
  static let refused = [
    #"nonsense\r\n\r\n"#,
    #"GET / HTTP/0.9\r\n\r\n"#,
    #"GET / HTTP/1.1\r\n\r\n"#,
    #"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"#,
    #"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"#,
    #"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"#,
    #"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n"#,
    #"GET / HTTP/1.1\rHost: localhost\r\n\r\n"#,
    #"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n"#,
  ]

  @Test("one 400, then closed, and the next client is served")
  func refusesAndServesOn() async throws {
    let server = try await ServerProcess()
    for bytes in Self.refused {
      let client = try await PythonProgram.raw.start(["\(server.port)", bytes])
      try await client.exit()
      #expect(client.transcript().filter { $0.hasPrefix("answer") }.count == 1, "\(bytes)")
      #expect(client.transcript().first?.contains(" 400 ") == true, "\(bytes): \(client.transcript())")
    }
    #expect(try await Curl.run(["\(server.url)/health"]).status == 200)
    try await server.stop()
  }

  @Test("an upgrade that we do not know is answered as a plain request")
  func unknownUpgrade() async throws {
    let server = try await ServerProcess()
    let request =
      #"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"#
      + #"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"#
    let client = try await PythonProgram.raw.start(["\(server.port)", request, "--half-close"])
    try await client.exit()
    #expect(client.transcript() == ["answer HTTP/1.1 200 OK", "closed"])
    try await server.stop()
  }
}
