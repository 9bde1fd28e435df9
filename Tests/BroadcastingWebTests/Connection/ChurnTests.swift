//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import TestSupport
import Testing

@testable import BroadcastingWeb

/// Meant for the thread sanitizer above all: what may go wrong here does so seldom.
@Suite("Churn", .timeLimit(.minutes(3)))
struct ChurnTests {
  private static let clients = 400

  @Test("clients come, talk, misbehave and vanish at random, until the server is stopped under them", arguments: 1...2)
  func churn(_ seed: UInt64) async throws {
    let handler = TestHandler(
      respond: { request in
        if request.target == "/yield" { await Task.yield() }
        return .text(String(repeating: "x", count: request.target == "/large" ? 1 << 20 : 10))
      },
      accept: { await Task.yield() },
      socket: { socket in
        try await withThrowingDiscardingTaskGroup { group in
          group.addTask {
            while let message = await socket.receive() { try await socket.send(message) }
            throw WebSocketClosure(.normal)
          }
          group.addTask {
            for _ in 0..<5 {
              try await socket.send("tick")
              await Task.yield()
            }
          }
        }
      })
    try await withServer(handler, connections: 24, loops: 2) { server in
      let visited = Journal<Int>()
      await withDiscardingTaskGroup { group in
        for number in 0..<Self.clients {
          group.addTask {
            var generator = SeededGenerator(seed: seed &* 1000 &+ UInt64(number))
            // Behind the stop nobody is there to connect to.
            guard let client = try? await server.connect() else { return }
            await Self.visit(client, &generator)
            visited.add(number)
            if visited.entries.count >= Self.clients / 2 { server.stop() }
          }
        }
      }
      #expect(visited.entries.count >= Self.clients / 2)
      await server.ended()
    }
  }

  private static func visit(_ client: TestClient, _ generator: inout SeededGenerator) async {
    talk: for _ in 0..<Int.random(in: 0...3, using: &generator) {
      switch Int.random(in: 0...4, using: &generator) {
      case 0: await client.get(["/", "/yield", "/large"].randomElement(using: &generator) ?? "/")
      case 1: await client.push(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HT".utf8))
      case 2: await client.send("nonsense\r\n\r\n")
      case 3:
        guard await client.upgrade() else { break talk }
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
          let payload = [UInt8](repeating: 1, count: Int.random(in: 0...100_000, using: &generator))
          await client.push(clientFrame(UInt8.random(in: 1...2, using: &generator), payload))
          if Bool.random(using: &generator) { _ = await client.frame() }
        }
        if Bool.random(using: &generator) { await client.push(clientFrame(8)) }
        break talk
      default: _ = await client.response()
      }
    }
    switch Int.random(in: 0...2, using: &generator) {
    case 0: await client.reset()
    case 1: await client.close()
    default:
      await client.finish()
      _ = await client.rest()
      await client.close()
    }
  }
}
