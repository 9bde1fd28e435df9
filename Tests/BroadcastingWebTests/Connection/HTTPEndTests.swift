//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@testable import BroadcastingWeb

@Suite("How connections of HTTP end", .timeLimit(.minutes(1)))
struct HTTPEndTests {
  @Test("a request that doesn't get complete is answered by 408")
  func late() async throws {
    try await withServer(timeouts: HTTPTimeouts(request: .milliseconds(100))) { server in
      let head = try await server.connect()
      let body = try await server.connect()
      await head.send("GET / HTTP/1.1\r\nHost:")
      await body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab")
      for client in [head, body] {
        #expect(await client.response()?.status == .requestTimeout)
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("a connection without a request is just closed")
  func silent() async throws {
    try await withServer(timeouts: HTTPTimeouts(idle: .milliseconds(100))) { server in
      let client = try await server.connect()
      #expect(await client.rest() == [])
      #expect(await client.endsInOrder())
    }
  }

  @Test("a peer that takes nothing of its response is cut")
  func stalledReader() async throws {
    let handler = TestHandler(respond: { request in
      request.target == "/small" ? .text("small") : HTTPResponse(body: [UInt8](repeating: 65, count: 32 << 20))
    })
    try await withServer(handler, timeouts: HTTPTimeouts(write: .milliseconds(100)), connections: 1) { server in
      let client = try await server.connect(receiveBuffer: 4096)
      await client.get("/")
      #expect(await client.skip(1) > 0)
      // There is room for one, and it has to go before this one is served.
      let next = try await server.connect()
      await next.get("/small")
      #expect(await next.text() == "small")
      #expect(await client.rest().count < 32 << 20)
    }
  }

  @Test("a peer that finishes gets the answers to all it has sent")
  func halfClosed() async throws {
    let go = Signal()
    let handler = TestHandler(respond: { request in
      if request.target == "/1" { await go.wait() }
      return .text(request.target)
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\n")
      await client.finish()
      go.give()
      #expect(await client.text() == "/1")
      #expect(await client.text() == "/2")
      #expect(await client.rest() == [])
      #expect(await client.endsInOrder())
      // Right at the start, and in the middle of a request.
      for begin in ["", "GET / HT"] {
        let other = try await server.connect()
        await other.send(begin)
        await other.finish()
        #expect(await other.rest() == [])
        #expect(await other.endsInOrder())
      }
    }
  }

  @Test("a reset while the handler works, and while the response is being sent, ends just that connection")
  func reset() async throws {
    let began = Signal()
    let go = Signal()
    let handler = TestHandler(respond: { request in
      switch request.target {
      case "/wait":
        began.give()
        await go.wait()
        return .text("late")
      case "/large": return HTTPResponse(body: [UInt8](repeating: 65, count: 16 << 20))
      default: return .text("ok")
      }
    })
    try await withServer(handler) { server in
      let first = try await server.connect()
      await first.get("/wait")
      await began.wait()
      await first.reset()
      let second = try await server.connect()
      await second.get("/large")
      #expect(await second.skip(1 << 20) >= 1 << 20)
      await second.reset()
      go.give()
      for _ in 0..<20 {
        let other = try await server.connect()
        await other.get("/")
        #expect(await other.text() == "ok")
        await other.reset()
      }
    }
  }

  @Test("a reset while the response of the only connection is being sent")
  func resetOfTheLast() async throws {
    let handler = TestHandler(respond: { _ in HTTPResponse(body: [UInt8](repeating: 65, count: 16 << 20)) })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.get("/")
      #expect(await client.skip(1) > 0)
      await client.reset()
      server.stop()
      await server.ended()
    }
  }

  @Test("a stop closes who waits, answers what is under way, and takes no more")
  func stop() async throws {
    let began = Signal()
    let go = Signal()
    let handler = TestHandler(respond: { request in
      if request.target == "/wait" {
        began.give()
        await go.wait()
      }
      return .text("answer")
    })
    try await withServer(handler) { server in
      let idle = try await server.connect()
      await idle.get("/")
      #expect(await idle.text() == "answer")
      let busy = try await server.connect()
      await busy.get("/wait")
      await began.wait()
      let part = try await server.connect()
      await part.send("GET /")
      server.stop()
      #expect(await idle.endsInOrder())
      #expect(await part.rest() == [])
      go.give()
      let last = await busy.response()
      #expect(last?.body == Array("answer".utf8))
      #expect(last?.headers["Connection"] == "close")
      #expect(await busy.endsInOrder())
      await server.ended()
      await #expect(throws: NetworkError.self) { try await server.connect() }
    }
  }
}
