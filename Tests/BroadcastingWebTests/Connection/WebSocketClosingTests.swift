//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@testable import BroadcastingWeb

@Suite("Closing WebSockets over a socket", .timeLimit(.minutes(1)))
struct WebSocketClosingTests {
  @Test("what a handler throws, or that it returns, decides the code")
  func codes() async throws {
    struct Other: Error {}
    let handler = TestHandler(socket: { socket in
      switch await socket.receive()?.text {
      case "closure": throw WebSocketClosure(.unsupportedData, "no")
      case "error": throw Other()
      case "reason": throw WebSocketClosure(.normal, String(repeating: "é", count: 100))
      case "close":
        await socket.close(.tryAgainLater, reason: "later")
        throw Other()
      default: return
      }
    })
    try await withServer(handler) { server in
      for (text, code, reason) in [
        ("closure", WebSocketCloseCode.unsupportedData, "no"), ("error", .internalError, ""), ("return", .normal, ""),
        ("reason", .normal, String(repeating: "é", count: 61)), ("close", .tryAgainLater, "later"),
      ] {
        let client = try await server.connect()
        #expect(await client.upgrade(clientFrame(1, text)))
        #expect(await client.frame() == .close(code, reason: reason))
        await client.send(closeFrame(code.rawValue))
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("a broken rule gets its code, and the connection ends")
  func protocolErrors() async throws {
    try await withServer(TestHandler(limits: WebSocketLimits(messageBytes: 100))) { server in
      for (frame, code) in [
        (clientFrame(1, [0xFF]), WebSocketCloseCode.invalidText), (clientFrame(3), .protocolError),
        (clientFrame(1, [], key: nil), .protocolError),
        (clientFrame(2, [UInt8](repeating: 0, count: 101)), .messageTooLarge),
        (clientFrame(8, [0]), .protocolError), (clientFrame(1, [], reserved: 0x40), .protocolError),
      ] {
        let client = try await server.connect()
        // What follows a fault is not looked at, and doesn't turn the end into a reset.
        #expect(await client.upgrade(frame + clientFrame(1, "more")))
        #expect(await client.closeCode() == code)
        await client.send(clientFrame(1, "even more"))
        await client.finish()
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("both ends may close at once")
  func closeAtOnce() async throws {
    let closed = Journal<WebSocketClose?>()
    let handler = TestHandler(socket: { socket in
      await socket.close(.tryAgainLater)
      closed.add(await socket.closed)
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      #expect(await client.upgrade())
      await client.send(closeFrame(1000))
      #expect(await client.closeCode() == .tryAgainLater)
      #expect(await client.endsInOrder())
      #expect(closed.entries == [WebSocketClose(.local, .tryAgainLater)])
    }
  }

  @Test("a peer that vanishes ends the socket, and the handler is told")
  func vanished() async throws {
    for resets in [true, false] {
      let closed = Journal<WebSocketClose?>()
      let handler = TestHandler(socket: { socket in
        while await socket.receive() != nil {}
        closed.add(await socket.closed)
        closed.ended.give()
      })
      try await withServer(handler) { server in
        let client = try await server.connect()
        #expect(await client.upgrade())
        if resets { await client.reset() } else { await client.finish() }
        await closed.ended.wait()
        #expect(closed.entries == [WebSocketClose(.connection)])
      }
    }
  }

  @Test("a stop closes every socket with 1001, and waits for their answers")
  func stop() async throws {
    try await withServer { server in
      let clients = [try await server.connect(), try await server.connect()]
      for client in clients { #expect(await client.upgrade()) }
      server.stop()
      for client in clients {
        #expect(await client.closeCode() == .goingAway)
        await client.send(closeFrame(1001))
        #expect(await client.endsInOrder())
        await client.close()
      }
      await server.ended()
    }
  }

  /// Holds the socket that holds it, until the connection's end lets it go.
  private final class DrainKeeper: WebSocketObserver {
    let socket: WebSocket
    init(_ socket: WebSocket) { self.socket = socket }
    func socketDrained() {}
    func socketEnded() {}
  }

  @Test("nothing of a socket is left when it has ended")
  func leaks() async throws {
    struct Kept: Sendable { weak let socket: WebSocket? }
    let kept = Journal<Kept>()
    let handler = TestHandler(socket: { socket in
      kept.add(Kept(socket: socket))
      await socket.observe(DrainKeeper(socket))
      while let message = await socket.receive() { try await socket.send(message) }
    })
    try await withServer(handler) { server in
      for ending in 0..<3 {
        let client = try await server.connect()
        #expect(await client.upgrade(clientFrame(1, "hi")))
        #expect(await client.frame() == .message(.text("hi")))
        switch ending {
        case 0: await client.reset()
        case 1: await client.send(closeFrame(1000))
        default: break
        }
        if ending < 2 { _ = await client.rest() }
        await client.close()
      }
      server.stop()
      await server.ended()
      #expect(kept.entries.count == 3)
      #expect(kept.entries.allSatisfy { $0.socket == nil })
    }
  }
}

extension WebSocket {
  fileprivate func observe(_ observer: any WebSocketObserver) { transport.observer = observer }
}
