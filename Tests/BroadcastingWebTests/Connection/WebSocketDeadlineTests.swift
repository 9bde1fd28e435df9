//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@testable import BroadcastingWeb

/// Deadlines are short here and noticed at sweeps, one a second. Who has to be cut holds the only place there is, so that
/// the next client's answer shows that it is gone.
@Suite("Deadlines of WebSockets", .timeLimit(.minutes(1)))
struct WebSocketDeadlineTests {
  private static let short = WebSocketTimeouts(
    ping: .milliseconds(50), silence: .milliseconds(100), close: .milliseconds(100))

  private func expectCut(_ server: TestServer) async throws {
    let next = try await server.connect()
    await next.get("/next")
    #expect(await next.text() == "GET /next ")
  }

  @Test("a silent peer gets a ping, and is cut when it doesn't answer")
  func silence() async throws {
    let closed = Journal<WebSocketClose?>()
    let handler = TestHandler(
      timeouts: Self.short,
      socket: { socket in
        while await socket.receive() != nil {}
        closed.add(await socket.closed)
      })
    try await withServer(handler, connections: 1) { server in
      let client = try await server.connect()
      #expect(await client.upgrade())
      #expect(await client.frame() == .ping([]))
      try await expectCut(server)
      #expect(closed.entries == [WebSocketClose(.connection)])
    }
  }

  @Test("a peer whose messages nobody receives is kept, and noticed when it is gone")
  func unheard() async throws {
    let go = Signal()
    let handler = TestHandler(
      timeouts: WebSocketTimeouts(ping: .milliseconds(50), silence: .milliseconds(100)),
      socket: { socket in
        await go.wait()
        for number in 0..<40 {
          guard await socket.receive()?.bytes == [UInt8(number)] else { throw WebSocketClosure(.policyViolation) }
        }
      })
    try await withServer(handler, connections: 1) { server in
      let client = try await server.connect()
      // More than the 16 at which reading stops: its pongs are not seen.
      #expect(await client.upgrade((0..<40).map { clientFrame(2, [UInt8($0)]) }.flatMap(\.self)))
      for _ in 0..<3 { #expect(await client.frame() == .ping([])) }
      go.give()
      while case .ping? = await client.frame() {}
      await client.send(clientFrame(8, [3, 232]))
      #expect(await client.endsInOrder())
      await client.close()
      try await expectCut(server)
    }
  }

  @Test("a peer that goes while its messages wait is found out by a ping")
  func goneUnheard() async throws {
    let closed = Signal()
    let handler = TestHandler(
      timeouts: Self.short,
      socket: { socket in
        while await socket.closed == nil { try await socket.loop.sleep(for: .milliseconds(10)) }
        closed.give()
      })
    try await withServer(handler, connections: 1) { server in
      let client = try await server.connect()
      #expect(await client.upgrade((0..<40).map { clientFrame(2, [UInt8($0)]) }.flatMap(\.self)))
      await client.reset()
      await closed.wait()
      try await expectCut(server)
    }
  }

  @Test("a reader that takes nothing of its backlog is reset")
  func stalledReader() async throws {
    let ended = Journal<WebSocketClosure>()
    let handler = TestHandler(
      timeouts: Self.short,
      socket: { socket in
        do {
          while true { try await socket.send([UInt8](repeating: 0, count: 100_000)) }
        } catch let closure as WebSocketClosure {
          ended.add(closure)
          throw closure
        }
      })
    try await withServer(handler, connections: 1) { server in
      let client = try await server.connect(receiveBuffer: 4096)
      #expect(await client.upgrade())
      try await expectCut(server)
      #expect(ended.entries.count == 1)
    }
  }

  @Test("a peer that never answers the close frame is cut")
  func unansweredClose() async throws {
    try await withServer(TestHandler(timeouts: Self.short, socket: { _ in }), connections: 1) { server in
      let client = try await server.connect()
      #expect(await client.upgrade())
      #expect(await client.closeCode() == .normal)
      try await expectCut(server)
    }
  }

  @Test("a peer that answers the close frame and leaves the connection open is closed")
  func unclosed() async throws {
    try await withServer(TestHandler(socket: { _ in }), connections: 1) { server in
      let client = try await server.connect()
      #expect(await client.upgrade())
      #expect(await client.closeCode() == .normal)
      await client.send(clientFrame(8, [3, 232]))
      #expect(await client.endsInOrder())
      try await expectCut(server)
    }
  }

  @Test("a stop waits for a slow reader no longer than for one that takes nothing")
  func hurry() async throws {
    let sent = Signal()
    let timeouts = WebSocketTimeouts(close: .milliseconds(100))
    let handler = TestHandler(
      timeouts: timeouts,
      socket: { socket in
        try await socket.send([UInt8](repeating: 7, count: 64 << 20))
        sent.give()
      })
    try await withServer(handler) { server in
      let client = try await server.connect(receiveBuffer: 64 << 10)
      #expect(await client.upgrade())
      await sent.wait()
      server.stop()
      let ended = Signal()
      await withTaskGroup { group in
        group.addTask {
          await server.ended()
          ended.give()
        }
        var total = 0
        while !ended.isGiven {
          total += await client.skip(1)
          try? await server.clientLoop.sleep(for: .milliseconds(50))
        }
        #expect(total < 64 << 20)
      }
    }
  }
}
