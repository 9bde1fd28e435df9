//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingTLS
import COpenSSLTLS
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite(.timeLimit(.minutes(1)))
struct BrokenHandshakeTests {
  private func expect(
    _ error: NetworkError?, _ code: NetworkError.Code, says parts: String...,
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(error?.code == code, "\(error?.message ?? "no error")", sourceLocation: location)
    for part in parts {
      #expect(error?.message.contains(part) == true, "\(error?.message ?? "no error")", sourceLocation: location)
    }
  }

  @Test("a server that speaks only TLS 1.1 is refused")
  func oldVersion() async throws {
    try await withServer { rules, _ in
      rules.versions = TLS1_VERSION...TLS1_1_VERSION
    } serve: {
      await $0.handshake()
    } body: { meeting in
      expect(await meeting.refusal(), .tlsFailed, says: "older than 1.2")
    }
  }

  @Test("a server that does not speak TLS is told by what it said")
  func plainText() async throws {
    try await withServer {
      _ = await $0.more()
      await $0.sendRaw(text("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
    } body: { meeting in
      expect(await meeting.refusal(), .tlsFailed, says: "does not speak TLS", "“HTTP/1.1 400 Bad Request..")
    }
  }

  @Test("a handshake of garbage is an error, whatever it is")
  func garbage() async throws {
    try await withServer {
      _ = await $0.more()
      await $0.sendRaw([22, 3, 3, 0, 40] + pattern(40))
    } body: { meeting in
      expect(await meeting.refusal(), .tlsFailed, says: "no secure connection to localhost:")
    }
  }

  @Test("a server that goes in the middle of the handshake is an error", arguments: [0, 1, 50, 700])
  func cut(bytes: Int) async throws {
    try await withServer {
      let answer = await $0.firstAnswer()
      #expect(bytes < answer.count)
      await $0.sendRaw(Array(answer.prefix(bytes)))
      await $0.finish()
      await $0.untilEnd()
    } body: { meeting in
      expect(await meeting.refusal(), .reset, says: "in the middle of the handshake")
    }
  }

  @Test("a handshake that was damaged on its way may succeed the next time")
  func damaged() async throws {
    try await withServer {
      var answer = await $0.firstAnswer()
      answer[answer.count - 20] ^= 1
      await $0.sendRaw(answer)
      await $0.untilEnd()
    } body: { meeting in
      expect(await meeting.refusal(), .reset, says: "no secure connection to localhost:", "damaged or forged")
    }
  }

  @Test(
    "an alert is final where it is a matter of what both sides are or want",
    arguments: [
      (SSL_AD_INTERNAL_ERROR, NetworkError.Code.reset), (SSL_AD_BAD_RECORD_MAC, .reset), (SSL_AD_DECRYPT_ERROR, .reset),
      (SSL_AD_CLOSE_NOTIFY, .reset), (SSL_AD_HANDSHAKE_FAILURE, .tlsFailed), (SSL_AD_PROTOCOL_VERSION, .tlsFailed),
      (SSL_AD_UNRECOGNIZED_NAME, .tlsFailed), (SSL_AD_ACCESS_DENIED, .tlsFailed),
      (SSL_AD_INSUFFICIENT_SECURITY, .tlsFailed),
    ])
  func alert(number: Int32, code: NetworkError.Code) async throws {
    try await withServer {
      _ = await $0.more()
      await $0.sendRaw([21, 3, 3, 0, 2, number == SSL_AD_CLOSE_NOTIFY ? 1 : 2, UInt8(number)])
      await $0.untilEnd()
    } body: { meeting in
      expect(await meeting.refusal(), code, says: "no secure connection to localhost:")
    }
  }

  @Test("a reset in the middle of the handshake is an error")
  func reset() async throws {
    try await withServer {
      _ = await $0.more()
      await $0.reset()
    } body: { meeting in
      expect(await meeting.refusal(), .reset, says: "no secure connection to localhost:")
    }
  }

  @Test("a server that is silent in the middle of the handshake meets the deadline", arguments: [0, 50])
  func deadline(bytes: Int) async throws {
    try await withServer {
      await $0.sendRaw(Array(await $0.firstAnswer().prefix(bytes)))
      await $0.untilEnd()
    } body: { meeting in
      let error = await meeting.refusal(within: .milliseconds(100))
      expect(error, .timedOut, says: "no secure connection to localhost:", "did not finish the handshake")
    }
  }

  @Test("cancelling ends it, before it has begun and in the middle of the handshake", arguments: [true, false])
  func cancelled(first: Bool) async throws {
    let (begun, begin) = AsyncStream<Void>.makeStream()
    try await withServer {
      await $0.sendRaw(Array(await $0.firstAnswer().prefix(50)))
      begin.yield()
      await $0.untilEnd()
    } body: { meeting in
      for preference in [meeting.loop, nil] {
        let error = await withTaskGroup(of: NetworkError?.self) { group in
          group.addTask(executorPreference: preference) { await meeting.refusal(within: .seconds(1000)) }
          if !first {
            var iterator = begun.makeAsyncIterator()
            await iterator.next()
          }
          group.cancelAll()
          return await group.next() ?? nil
        }
        expect(error, .cancelled)
      }
    }
  }

  @Test("the end of the loop ends a handshake")
  func loopEnd() async throws {
    let (begun, begin) = AsyncStream<Void>.makeStream()
    try await withServer {
      _ = await $0.more()
      begin.yield()
      await $0.untilEnd()
    } body: { meeting in
      try await withThrowingTaskGroup(of: NetworkError?.self) { group in
        try await withEventLoops(count: 1) { loops in
          var other = meeting
          other.loop = loops[0]
          group.addTask { [other] in await other.refusal(within: .seconds(1000)) }
          var iterator = begun.makeAsyncIterator()
          await iterator.next()
        }
        expect(try await group.next() ?? nil, .closed)
      }
    }
  }

  @Test("nobody listens: refused, as without TLS")
  func refused() async throws {
    let certificates = try certificates.get()
    let port = try await ListeningSockets.bind(host: "127.0.0.1", port: 0).addresses[0].port
    try await withEventLoops(count: 1) { loops in
      let meeting = Meeting(loop: loops[0], port: port, certificates: certificates)
      expect(await meeting.refusal(to: "127.0.0.1"), .refused)
    }
  }

  @Test("a server that wants a certificate of the client says so by an alert", arguments: [true, false])
  func clientCertificate(isNewest: Bool) async throws {
    try await withServer { rules, _ in
      rules.wantsClientCertificate = true
      if !isNewest { rules.versions = TLS1_2_VERSION...TLS1_2_VERSION }
    } serve: {
      await $0.handshake()
    } body: { meeting in
      guard isNewest else {
        expect(await meeting.refusal(), .tlsFailed, says: "it sent the alert “handshake failure”")
        return
      }
      // Here the client has done its part before the server looks for the certificate.
      let client = try await meeting.connect()
      #expect(await client.rest() == [])
      expect(await client.failure, .tlsFailed, says: "it wants a certificate of the client")
      await client.close()
    }
  }

  @Test("ALPN: the server's choice is known, and no common protocol is an error")
  func protocols() async throws {
    try await withServer { rules, _ in
      rules.protocolName = "http/1.1"
    } serve: {
      await $0.handshake()
    } body: { meeting in
      let client = try await meeting.connect(protocols: ["x", "http/1.1"])
      #expect(await client.negotiatedProtocol == "http/1.1")
      await client.close()
      let other = try await meeting.connect()
      #expect(await other.negotiatedProtocol == nil)
      await other.close()
      expect(await meeting.refusal(protocols: ["x"]), .tlsFailed, says: "none of the protocols that were offered")
      // Not to be written in one byte of length.
      expect(await meeting.refusal(protocols: [""]), .tlsFailed, says: "1 to 255 bytes")
    }
  }

  @Test("whatever became of a handshake, no descriptor is left")
  func descriptors() async throws {
    // In a process of its own, where nobody else opens any.
    await #expect(processExitsWith: .success) {
      ProcessDescriptors.limit(to: 256)
      try await withServer {
        await $0.sendRaw(Array(await $0.firstAnswer().prefix(50)))
        await $0.finish()
        await $0.untilEnd()
      } body: { meeting in
        let tls = meeting.trusting
        // The first opens what stays: a loop keeps one in reserve for the day when there are no more.
        _ = await meeting.refusal(tls)
        let before = ProcessDescriptors.count
        for number in 0..<100 {
          await withTaskGroup { group in
            group.addTask {
              let error = await meeting.refusal(tls, within: number % 3 == 0 ? .milliseconds(1) : .seconds(30))
              if error == nil { exit(1) }
            }
            if number % 3 == 1 { group.cancelAll() }
          }
        }
        // The last are closed in the loop's next turns.
        for _ in 0..<10_000 where ProcessDescriptors.count > before { await Task.detached {}.value }
        if ProcessDescriptors.count > before { exit(2) }
      }
    }
  }
}
