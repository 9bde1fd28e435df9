//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingTLS
import TestSupport
import Testing

@Suite(.enabled(if: Tool.nginx.isWanted, "nginx is missing"), .timeLimit(.minutes(1)))
struct ForeignServerTests {
  @Test("nginx answers, ends with a close_notify, and chooses a protocol")
  func nginx() async throws {
    let certificates = try certificates.get()
    // Nobody is behind it, which it says by an answer of its own.
    let nginx = try await NginxProcess(upstream: "127.0.0.1:1", tls: certificates)
    try await withEventLoops(count: 1) { loops in
      let meeting = Meeting(loop: loops[0], port: UInt16(nginx.port), certificates: certificates)
      let client = try await meeting.connect(protocols: ["http/1.1"])
      #expect(await client.negotiatedProtocol == "http/1.1")
      await client.write(text("GET / HTTP/1.0\r\n\r\n"))
      let answer = String(decoding: await client.rest(), as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
      #expect(await client.failure == nil)
      await client.close()
    }
  }
}
