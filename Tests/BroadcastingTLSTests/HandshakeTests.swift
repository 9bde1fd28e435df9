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
      await $0.write(await $0.receive(5))
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
      await $0.write(await $0.receive(5))
      await $0.closeNotify()
    } body: { meeting in
      let client = try await meeting.connect()
      #expect(await client.version == "TLSv1.2")
      await client.write(text("hello"))
      #expect(await client.rest() == text("hello"))
      await client.close()
    }
  }

  @Test("TLS can start on a connection that there is already")
  func startedLater() async throws {
    try await withServer {
      await $0.handshake()
      await $0.write(await $0.receive(5))
      await $0.closeNotify()
    } body: { meeting in
      let loop = meeting.loop
      let socket = try await loop.connect(to: "127.0.0.1", port: meeting.port, within: .seconds(30))
      let client = ClientConnection(
        try await loop.startTLS(over: socket, to: "localhost", tls: meeting.trusting, within: .seconds(30)), on: loop)
      await client.write(text("hello"))
      #expect(await client.rest() == text("hello"))
      await client.close()
    }
  }

  @Test("a connection that TLS could not start on is closed")
  func notStarted() async throws {
    let (ended, end) = AsyncStream<Void>.makeStream()
    try await withServer {
      await $0.untilEnd()
      end.yield()
    } body: { meeting in
      for (host, tls) in [("", meeting.trusting), ("localhost", TLSContext(TLSConfiguration(trust: .file("/none"))))] {
        await #expect(throws: NetworkError.self) {
          let socket = try await meeting.loop.connect(to: "127.0.0.1", port: meeting.port, within: .seconds(30))
          _ = try await meeting.loop.startTLS(over: socket, to: host, tls: tls, within: .seconds(30)).loop
        }
        var iterator = ended.makeAsyncIterator()
        await iterator.next()
      }
    }
  }

  @Test("many at once share one context, which is read once")
  func many() async throws {
    try await withServer {
      await $0.handshake()
      await $0.write(await $0.receive(4))
      await $0.closeNotify()
    } body: { meeting in
      let tls = meeting.trusting
      try await withThrowingDiscardingTaskGroup { group in
        for number in 1000..<1200 {
          group.addTask(executorPreference: number.isMultiple(of: 2) ? meeting.loop : nil) {
            let client = try await meeting.connect(tls)
            await client.write(text("\(number)"))
            #expect(await client.rest() == text("\(number)"))
            await client.close()
          }
        }
      }
    }
  }

  @Test("what comes with the last of the handshake waits for the reader")
  func earlyData() async throws {
    try await withServer { rules, _ in
      // Here the server has the last word of the handshake.
      rules.versions = TLS1_2_VERSION...TLS1_2_VERSION
    } serve: {
      await $0.handshake(with: text("welcome"))
      await $0.closeNotify()
      await $0.finish()
      await $0.untilEnd()
    } body: { meeting in
      let client = try await meeting.connect()
      #expect(await client.rest() == text("welcome"))
      #expect(await client.failure == nil)
      #expect(await client.offences == 0)
      await client.close()
    }
  }
}
