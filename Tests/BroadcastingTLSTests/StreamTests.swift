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
struct StreamTests {
  private static let size = 10 << 20

  @Test("10 MiB come whole and in order to a reader that stops after each call", arguments: [true, false])
  func slowClient(isNewest: Bool) async throws {
    let all = pattern(Self.size)
    try await withServer { rules, _ in
      if !isNewest { rules.versions = TLS1_2_VERSION...TLS1_2_VERSION }
    } serve: {
      await $0.handshake()
      await $0.write(all)
      await $0.closeNotify()
      await $0.untilEnd()
    } body: { meeting in
      let client = try await meeting.connect()
      await client.setHesitant()
      #expect(await client.rest() == all)
      #expect(await client.failure == nil)
      #expect(await client.offences == 0)
      await client.close()
    }
  }

  @Test("starting and stopping at random loses nothing, and nothing comes while stopped", arguments: [1, 2, 3])
  func randomStops(seed: UInt64) async throws {
    let all = pattern(1 << 20)
    try await withServer {
      await $0.handshake()
      var generator = SeededGenerator(seed: seed)
      var rest = all[...]
      while !rest.isEmpty {
        let part = rest.prefix(.random(in: 1...40_000, using: &generator))
        rest = rest.dropFirst(part.count)
        await $0.write(Array(part))
      }
      await $0.closeNotify()
      await $0.untilEnd()
    } body: { meeting in
      let client = try await meeting.connect()
      var generator = SeededGenerator(seed: seed)
      var got: [UInt8] = []
      while got.count < all.count {
        if Bool.random(using: &generator) { await client.stopAndStart(.random(in: 0...3, using: &generator)) }
        let part = await client.receive(.random(in: 1...50_000, using: &generator))
        if part.isEmpty { break }
        got += part
      }
      #expect(got == all)
      #expect(await client.offences == 0)
      await client.close()
    }
  }

  @Test("a write that must wait says so, and drained() comes once for it; 10 MiB arrive whole")
  func slowServer() async throws {
    let all = pattern(Self.size)
    let (goOn, go) = AsyncStream<Void>.makeStream()
    try await withServer {
      await $0.handshake()
      var iterator = goOn.makeAsyncIterator()
      await iterator.next()
      #expect(await $0.receive(all.count) == all)
      await $0.write(text("done"))
      await $0.untilEnd()
    } body: { meeting in
      let client = try await meeting.connect()
      #expect(await client.push(all) == false)
      #expect(await client.drains == 0)
      let before = await client.pendingBytes
      #expect(before > 1 << 20)
      #expect(await client.bytesTaken < all.count)
      go.yield()
      #expect(await client.receive(4) == text("done"))
      #expect(await client.drains == 1)
      #expect(await client.pendingBytes == 0)
      #expect(await client.bytesTaken > all.count)
      #expect(await client.offences == 0)
      await client.close()
    }
  }

  @Test("small and large segments are one stream, in order")
  func segments() async throws {
    var segments = (0..<1000).map { pattern($0 % 50, seed: $0) }
    segments.insert(pattern(100_000), at: 300)
    segments.insert(pattern(16_384), at: 600)
    segments.insert(pattern(16_383), at: 601)
    let all = Array(segments.joined())
    try await withServer {
      await $0.handshake()
      #expect(await $0.receive(all.count) == all)
      await $0.write(text("done"))
    } body: { [segments] meeting in
      let client = try await meeting.connect()
      await client.push(segments)
      #expect(await client.receive(4) == text("done"))
      // Fewer records than segments: less than 100 headers and seals.
      #expect(await client.bytesTaken < all.count + 100 * 22)
      await client.close()
    }
  }

  @Test("both sides write at once, more than the kernel holds")
  func bothWays() async throws {
    let all = pattern(Self.size / 2)
    try await withServer {
      let connection = $0
      await connection.handshake()
      // The echo of each part, while the client goes on writing.
      for start in stride(from: 0, to: all.count, by: 65_536) {
        await connection.write(await connection.receive(min(65_536, all.count - start)))
      }
      await connection.closeNotify()
      await connection.untilEnd()
    } body: { meeting in
      let client = try await meeting.connect()
      await client.push(all)
      #expect(await client.rest() == all)
      #expect(await client.offences == 0)
      await client.close()
    }
  }

  @Test("after the peer's close_notify we may still write, and after ours still read")
  func halfClose() async throws {
    try await withServer {
      await $0.handshake()
      await $0.write(text("question"))
      await $0.closeNotify()
      #expect(await $0.receive(6) == text("answer"))
      await $0.untilEnd()
      #expect(await $0.sawCloseNotify)
    } body: { meeting in
      let client = try await meeting.connect()
      #expect(await client.rest() == text("question"))
      #expect(await client.isWritable)
      await client.write(text("answer"))
      await client.finish()
      #expect(await client.isWritable == false)
      await client.close()
    }
    try await withServer {
      await $0.handshake()
      await $0.untilEnd()
      #expect(await $0.sawCloseNotify)
      await $0.write(text("late"))
      await $0.closeNotify()
    } body: { meeting in
      let client = try await meeting.connect()
      await client.finish()
      #expect(await client.push(text("too late")))
      #expect(await client.rest() == text("late"))
      #expect(await client.failure == nil)
      await client.close()
    }
  }

  @Test("finishing waits for what waits")
  func finishWhileWaiting() async throws {
    let all = pattern(Self.size)
    try await withServer {
      await $0.handshake()
      #expect(await $0.receive(all.count + 1) == all)
      #expect(await $0.sawCloseNotify)
      await $0.closeNotify()
    } body: { meeting in
      let client = try await meeting.connect()
      #expect(await client.push(all) == false)
      await client.finish()
      #expect(await client.rest() == [])
      #expect(await client.failure == nil)
      #expect(await client.drains == 1)
      await client.close()
    }
  }

  @Test("closing says close_notify, a reset does not")
  func closing() async throws {
    for isReset in [false, true] {
      try await withServer {
        await $0.handshake()
        await $0.untilEnd()
        #expect(await $0.sawCloseNotify == !isReset)
      } body: { meeting in
        let client = try await meeting.connect()
        if isReset { await client.reset() }
        await client.close()
        #expect(await client.push(text("too late")))
      }
    }
  }

  @Test("an owner may close in the middle of what comes")
  func closeWhileReading() async throws {
    try await withServer {
      await $0.handshake()
      await $0.write(pattern(1 << 20))
      await $0.untilEnd()
    } body: { meeting in
      let client = try await meeting.connect()
      await client.closeAtNextBytes()
      let got = await client.rest()
      // One call, of one record at most.
      #expect((1...16_384).contains(got.count))
      #expect(await client.failure == nil)
      await client.close()
    }
  }

  @Test("keys are renewed at the server's wish, in both directions")
  func keyUpdate() async throws {
    try await withServer {
      await $0.handshake()
      for number in 1000..<1010 {
        await $0.updateKeys()
        await $0.write(text("\(number)"))
        #expect(await $0.receive(4) == text("\(number)"))
      }
      await $0.closeNotify()
    } body: { meeting in
      let client = try await meeting.connect()
      for number in 1000..<1010 {
        #expect(await client.receive(4) == text("\(number)"))
        await client.write(text("\(number)"))
      }
      #expect(await client.rest() == [])
      #expect(await client.failure == nil)
      await client.close()
    }
  }

  @Test("another handshake in the midst of TLS 1.2 is refused")
  func renegotiation() async throws {
    try await withServer { rules, _ in
      rules.versions = TLS1_2_VERSION...TLS1_2_VERSION
    } serve: {
      await $0.handshake()
      await $0.renegotiate()
      #expect(await $0.receive(1) == [])
      #expect(await $0.failure?.message == "no renegotiation")
    } body: { meeting in
      let client = try await meeting.connect()
      _ = await client.rest()
      await client.close()
    }
  }
}
