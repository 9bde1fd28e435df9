//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@testable import BroadcastingWeb

@Suite("WebSockets over a socket", .timeLimit(.minutes(1)))
struct WebSocketConnectionTests {
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
        await client.send(clientFrame(9, "\(number)") + clientFrame(10, "unasked"))
        #expect(await client.frame() == .pong(Array("\(number)".utf8)))
      }
      await client.send((0..<10).flatMap { clientFrame(9, "\($0)") } + closeFrame(1000))
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
      let flood = (0..<200).flatMap { _ in clientFrame(9, [UInt8](repeating: 1, count: 125)) } + clientFrame(2, [0])
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
}

extension WebSocket {
  /// Bytes that wait for the peer.
  fileprivate var waitingBytes: Int { transport.pendingBytes }
}
