//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import Testing

@testable import BroadcastingWeb

private let ping: UInt8 = 9
private let pong: UInt8 = 10
private let close: UInt8 = 8

private func closeFrame(_ code: UInt16) -> [UInt8] { clientFrame(close, [UInt8(code >> 8), UInt8(code & 0xFF)]) }

/// What happened in a handler, for a test to look at.
final class Journal<Entry: Sendable>: Sendable {
  private let kept = Lock([Entry]())
  let ended = Signal()
  var entries: [Entry] { kept.withLock { $0 } }
  func add(_ entry: Entry) { kept.withLock { $0.append(entry) } }
}

@Suite("WebSockets over a socket", .timeLimit(.minutes(1)))
struct WebSocketConnectionTests {
  // MARK: Upgrade

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

  // MARK: Messages

  @Test("messages right before a close frame are received")
  func lastMessages() async throws {
    let heard = Journal<String?>()
    let go = Signal()
    let handler = TestHandler(socket: { socket in
      await go.wait()
      while let message = await socket.receive() { heard.add(message.text) }
      #expect(await socket.closed == WebSocketClose(.peer, .normal))
      heard.ended.give()
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      #expect(await client.upgrade((0..<10).flatMap { clientFrame(1, "\($0)") } + closeFrame(1000)))
      // The answer to the close comes although nobody receives yet.
      #expect(await client.closeCode() == .normal)
      #expect(await client.endsInOrder())
      go.give()
      await heard.ended.wait()
      #expect(heard.entries == (0..<10).map { "\($0)" })
    }
  }

  @Test("a flood of messages stays with the client until somebody receives, and none is lost")
  func floodOfMessages() async throws {
    let go = Signal()
    let count = 12_000
    let handler = TestHandler(socket: { socket in
      await go.wait()
      for number in 0..<count {
        let message = await socket.receive()
        guard message?.bytes.count == 1000, message?.bytes[0] == UInt8(number & 0xFF) else {
          throw WebSocketClosure(.policyViolation, "message \(number)")
        }
      }
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      #expect(await client.upgrade())
      await client.push(
        (0..<count).flatMap { clientFrame(2, [UInt8($0 & 0xFF)] + [UInt8](repeating: 0, count: 999)) })
      try await server.goRound()
      #expect(await client.unsent > 1 << 20)
      go.give()
      #expect(await client.closeCode() == .normal)
    }
  }

  @Test("thousands of tiny messages in one read are received in order")
  func tinyMessages() async throws {
    let count = 20_000
    let handler = TestHandler(socket: { socket in
      var received = 0
      while let message = await socket.receive(), message.bytes == [UInt8(received & 0xFF)] {
        received += 1
        if received == count { throw WebSocketClosure(.missedMessages, "all of them") }
      }
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      #expect(await client.upgrade())
      await client.send((0..<count).flatMap { clientFrame(2, [UInt8($0 & 0xFF)]) })
      #expect(await client.frame() == .close(.missedMessages, reason: "all of them"))
    }
  }

  @Test("a receiver that is cancelled gets nil, a second one takes over from the first, and the socket stays open")
  func receivers() async throws {
    let results = Journal<String>()
    let handler = TestHandler(socket: { socket in
      await withTaskGroup { group in
        let waits = Signal()
        group.addTask {
          waits.give()
          results.add("cancelled: \(String(describing: await socket.receive()?.text))")
        }
        await waits.wait()
        group.cancelAll()
      }
      await withTaskGroup { group in
        let waits = Signal()
        group.addTask {
          waits.give()
          results.add("first: \(String(describing: await socket.receive()?.text))")
        }
        await waits.wait()
        group.addTask { results.add("second: \(String(describing: await socket.receive()?.text))") }
        await group.next()
        try? await socket.send("now")
      }
      try await socket.send("done")
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      #expect(await client.upgrade())
      #expect(await client.frame() == .message(.text("now")))
      await client.send(clientFrame(1, "hi"))
      #expect(await client.frame() == .message(.text("done")))
      #expect(results.entries == ["cancelled: nil", "first: nil", "second: Optional(\"hi\")"])
      #expect(await client.closeCode() == .normal)
    }
  }

  // MARK: Pings

  @Test("pings are answered while nobody receives")
  func pings() async throws {
    let go = Signal()
    try await withServer(TestHandler(socket: { _ in await go.wait() })) { server in
      let client = try await server.connect()
      #expect(await client.upgrade())
      for number in 0..<10 {
        await client.send(clientFrame(ping, "\(number)") + clientFrame(pong, "unasked"))
        #expect(await client.frame() == .pong(Array("\(number)".utf8)))
      }
      await client.send((0..<10).flatMap { clientFrame(ping, "\($0)") } + closeFrame(1000))
      for number in 0..<10 { #expect(await client.frame() == .pong(Array("\(number)".utf8))) }
      #expect(await client.closeCode() == .normal)
      go.give()
    }
  }

  @Test("a flood of pings from a peer that reads nothing fills no memory")
  func pingFlood() async throws {
    let sizes = Journal<Int>()
    let go = Signal()
    let handler = TestHandler(socket: { socket in
      while !go.isGiven, await socket.receive() != nil { sizes.add(await socket.waitingBytes) }
    })
    try await withServer(handler) { server in
      let client = try await server.connect(receiveBuffer: 4096)
      #expect(await client.upgrade())
      let flood = (0..<200).flatMap { _ in clientFrame(ping, [UInt8](repeating: 1, count: 125)) } + clientFrame(2, [0])
      for _ in 0..<500 { await client.send(flood) }
      go.give()
      await client.send(clientFrame(2, [0]))
      #expect(sizes.entries.max() ?? 0 < 128 << 10)
    }
  }

  // MARK: Sending

  @Test("send waits for a slow reader, and all arrives in order")
  func backpressure() async throws {
    let largest = Journal<Int>()
    let handler = TestHandler(socket: { socket in
      for number in 0..<2000 {
        try await socket.send([UInt8](repeating: UInt8(number & 0xFF), count: 10_000))
        largest.add(await socket.waitingBytes)
      }
    })
    try await withServer(handler) { server in
      let client = try await server.connect(receiveBuffer: 64 << 10)
      #expect(await client.upgrade())
      for number in 0..<2000 {
        guard case .message(let message) = await client.frame(), message.bytes.first == UInt8(number & 0xFF) else {
          Issue.record("message \(number) is missing")
          return
        }
      }
      #expect(await client.closeCode() == .normal)
      #expect(largest.entries.max() ?? 0 <= 64 << 10 + 10_004)
    }
  }

  @Test("a send that waits ends with its task, and with the socket")
  func waitingSends() async throws {
    let errors = Journal<WebSocketCloseCode?>()
    let filled = Signal()
    // No deadline frees the second one.
    let handler = TestHandler(
      timeouts: WebSocketTimeouts(close: .seconds(600)),
      socket: { socket in
        @Sendable func fill() async {
          do throws(WebSocketClosure) {
            while true {
              try await socket.send([UInt8](repeating: 0, count: 100_000))
              if await socket.waitingBytes > 0 { filled.give() }
            }
          } catch {
            errors.add(error.code)
          }
        }
        await withTaskGroup { group in
          group.addTask { await fill() }
          await filled.wait()
          group.cancelAll()
        }
        await withTaskGroup { group in
          let waits = Signal()
          group.addTask {
            waits.give()
            await fill()
          }
          await waits.wait()
          await socket.close(.policyViolation)
        }
        errors.ended.give()
      })
    try await withServer(handler) { server in
      let client = try await server.connect(receiveBuffer: 4096)
      #expect(await client.upgrade())
      await errors.ended.wait()
      #expect(errors.entries == [.goingAway, .policyViolation])
    }
  }

  // MARK: Closing

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
  private final class DrainKeeper: WebSocketDrainObserver {
    let socket: WebSocket
    init(_ socket: WebSocket) { self.socket = socket }
    func socketDrained() {}
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
  /// Bytes that wait for the peer.
  fileprivate var waitingBytes: Int { transport.pendingBytes }
}

extension WebSocket {
  fileprivate func observe(_ observer: any WebSocketDrainObserver) { drainObserver = observer }
}
