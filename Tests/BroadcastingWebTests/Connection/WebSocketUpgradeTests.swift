//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@testable import BroadcastingWeb

@Suite("Upgrades over a socket", .timeLimit(.minutes(1)))
struct WebSocketUpgradeTests {
  @Test("frames behind the request, in the same packet and wherever it is cut, are received")
  func earlyFrames() async throws {
    try await withServer { server in
      let bytes = TestClient.upgradeRequest() + clientFrame(1, "one") + clientFrame(1, "two")
      for cut in stride(from: 1, through: bytes.count, by: 5) {
        let client = try await server.connect()
        await client.send(Array(bytes[..<cut]))
        await client.send(Array(bytes[cut...]))
        #expect(await client.response()?.status == .switchingProtocols)
        #expect(await client.frame() == .message(.text("one")))
        #expect(await client.frame() == .message(.text("two")))
        await client.close()
      }
    }
  }

  @Test("any request of a connection may upgrade, and a refused one leaves it as it was")
  func later() async throws {
    try await withServer { server in
      let client = try await server.connect()
      await client.get("/1")
      #expect(await client.text() == "GET /1 ")
      await client.get("/socket", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12\r\n")
      #expect(await client.response()?.status == .upgradeRequired)
      await client.get("/elsewhere", TestClient.upgradeFields)
      #expect(await client.text() == "GET /elsewhere ")
      await client.get("/2", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n")
      #expect(await client.text() == "GET /2 ")
      #expect(await client.upgrade(clientFrame(1, "hi")))
      #expect(await client.frame() == .message(.text("hi")))
    }
  }

  @Test("a client that goes while the handler decides leaves nothing behind")
  func goneBeforeUpgrade() async throws {
    let asked = Signal()
    let go = Signal()
    let ran = Journal<Bool>()
    let handler = TestHandler(
      accept: {
        asked.give()
        await go.wait()
      }, socket: { _ in ran.add(true) })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.send(TestClient.upgradeRequest())
      await asked.wait()
      await client.reset()
      try await server.goRound()
      go.give()
      server.stop()
      await server.ended()
      #expect(ran.entries.isEmpty)
    }
  }

  @Test("a client that has finished before the 101 is heard, and then the socket is over")
  func finishedBeforeUpgrade() async throws {
    let asked = Signal()
    let go = Signal()
    let heard = Journal<String?>()
    let handler = TestHandler(
      accept: {
        asked.give()
        await go.wait()
      },
      socket: { socket in
        while let message = await socket.receive() { heard.add(message.text) }
        heard.ended.give()
      })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.send(TestClient.upgradeRequest() + clientFrame(1, "last words"))
      await asked.wait()
      await client.finish()
      try await server.goRound()
      go.give()
      await heard.ended.wait()
      #expect(heard.entries == ["last words"])
      _ = await client.rest()
    }
  }
}
