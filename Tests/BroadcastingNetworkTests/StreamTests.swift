//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork

@Suite(.timeLimit(.minutes(1)))
struct StreamTests {
  /// Bytes whose order can be seen.
  private static func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  }

  @Test("more than a stalled reader's kernel takes waits, and arrives whole when it reads")
  func stalledReader() async throws {
    try await withPair { _, client, server in
      let segment = Self.pattern(1 << 20)
      #expect(await client.push(Array(repeating: segment, count: 32)) == false)
      #expect(await client.pendingBytes > 0)
      #expect(await client.bytesTaken < 32 << 20)
      await client.finish()
      async let rest = server.rest()
      await client.written()
      #expect(await client.pendingBytes == 0)
      let all = await rest
      #expect(all.count == 32 << 20)
      for start in stride(from: 0, to: all.count, by: segment.count) {
        #expect(all[start..<start + segment.count].elementsEqual(segment))
      }
    }
  }

  @Test("many small segments are one write, in order")
  func segments() async throws {
    try await withPair { _, client, server in
      let all = Self.pattern(1000)
      var segments = all.map { [$0] }
      segments.insert([], at: 500)
      #expect(await client.push(segments))
      await client.finish()
      #expect(await server.rest() == all)
    }
  }

  @Test("after the peer has finished we may still write")
  func halfClose() async throws {
    try await withPair { _, client, server in
      await client.write(text("question\n"))
      await client.finish()
      #expect(await server.line() == text("question"))
      #expect(await server.line() == nil)
      #expect(await server.sawEnd)
      #expect(await server.failure == nil)
      await server.write(text("answer"))
      await server.finish()
      #expect(await client.rest() == text("answer"))
    }
  }

  @Test("a reset is an error on the other side, and later writes go nowhere")
  func reset() async throws {
    try await withPair { _, client, server in
      await client.reset()
      #expect(await server.line() == nil)
      #expect(await server.failure?.code == .reset)
      #expect(await server.push([text("too late")]))
      #expect(await server.pendingBytes == 0)
    }
  }

  @Test("a write to a peer that is gone is told to the delegate, and raises no signal")
  func brokenPipe() async throws {
    try await withPair { _, client, server in
      await client.close()
      while await server.failure == nil {
        await server.write(Self.pattern(1000))
        await Task.detached {}.value
      }
      #expect(await server.failure?.code == .reset)
    }
  }

  @Test("a stream that is closed with bytes waiting drops them")
  func closeWhileWriting() async throws {
    try await withPair { loop, client, server in
      #expect(await client.push([[UInt8](repeating: 7, count: 32 << 20)]) == false)
      await client.close()
      #expect(await client.pendingBytes == 0)
      await client.write([1])
      _ = await server.rest()
    }
  }

  @Test("what the peer's kernel has acknowledged counts as taken")
  func bytesTaken() async throws {
    try await withPair { _, client, server in
      await client.write(text("line\n"))
      #expect(await server.line() == text("line"))
      while await client.bytesTaken < 5 { await Task.detached {}.value }
      #expect(await client.bytesTaken == 5)
    }
  }

  @Test("a small send buffer takes less at once, and keep-alive can be set and unset")
  func options() async throws {
    try await withPair { _, client, server in
      await client.setOptions(sendBuffer: 4096)
      #expect(await client.push([Self.pattern(8 << 20)]) == false)
      // What the two kernels hold, with their own doubling, is far from all.
      #expect(await client.pendingBytes > 1 << 20)
      await client.reset()
      #expect(await server.rest().count < 8 << 20)
    }
  }

  @Test("both ends know each other's address")
  func addresses() async throws {
    try await withPair { _, client, server in
      #expect(await client.local == server.peer)
      #expect(await client.peer == server.local)
      #expect(await client.peer?.isLoopback == true)
    }
  }

  @Test("the end of the loop closes what its owner forgot, and tells it")
  func forgotten() async throws {
    let connection = try await withEventLoops(count: 1) { loops in
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      return LineConnection(try await loops[0].connect(to: sockets.addresses[0], within: .seconds(10)), on: loops[0])
    }
    #expect(await connection.line() == nil)
  }

  @Test("a stream is freed when it has closed, though owner and stream hold each other")
  func freed() async throws {
    try await withEventLoops(count: 1) { loops in
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      weak var connection: LineConnection?
      do {
        let made = LineConnection(
          try await loops[0].connect(to: sockets.addresses[0], within: .seconds(10)), on: loops[0])
        connection = made
        await made.close()
      }
      #expect(await Count(loop: loops[0]).handles == 0)
      #expect(connection == nil)
    }
  }
}
