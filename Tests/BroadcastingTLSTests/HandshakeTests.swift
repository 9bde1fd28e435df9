//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingTLS
import COpenSSLTLS
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HandshakeTests {
  @Test("a right server, by its name and by its address", arguments: ["localhost", "127.0.0.1"])
  func right(host: String) async throws {
    try await withServer {
      #expect(await $0.handshake())
      // An address is no name to ask for: RFC 6066, section 3.
      #expect(await $0.requestedName == (host == "localhost" ? host : nil))
      await $0.write(try await $0.receive(5))
      await $0.closeNotify()
    } body: { meeting in
      let client = try await meeting.connect(to: host)
      #expect(await client.version == "TLSv1.3")
      await client.write(text("hello"))
      #expect(await client.rest() == text("hello"))
      #expect(await client.failure == nil)
      #expect(await client.offences == 0)
      await client.close()
    }
  }

  @Test("TLS 1.2 will do")
  func olderVersion() async throws {
    try await withServer {
      rules, _ in
      rules.versions = TLS1_2_VERSION...TLS1_2_VERSION
    } serve: {
      await $0.handshake()
      await $0.write(try await $0.receive(5))
      await $0.closeNotify()
    } body: { meeting in
      let client = try await meeting.connect()
      #expect(await client.version == "TLSv1.2")
      await client.write(text("hello"))
      #expect(await client.rest() == text("hello"))
      await client.close()
    }
  }
}
