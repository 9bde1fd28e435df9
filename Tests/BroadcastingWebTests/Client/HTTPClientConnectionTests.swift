//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingWeb

@Suite("A client's connection", .timeLimit(.minutes(1)))
struct HTTPClientConnectionTests {
  private func connect(
    _ server: TestServer, limits: HTTPLimits = .init(), idleTime: Duration = .seconds(20)
  ) async throws -> HTTPClientConnection {
    HTTPClientConnection(
      try await server.clientLoop.connect(to: server.address, within: .seconds(20)), limits: limits, idleTime: idleTime)
  }

  private func get(_ target: String) -> HTTPRequest { HTTPRequest(target: target, headers: ["Host": "x"]) }

  @Test("requests go one after the other over one connection")
  func keepsAlive() async throws {
    try await withServer { server in
      let connection = try await connect(server)
      for number in 1...3 {
        let response = try await connection.send(get("/\(number)"), within: .seconds(20))
        #expect(String(decoding: response.body, as: UTF8.self) == "GET /\(number) ")
        #expect(await connection.isReusable)
      }
      await connection.close()
      #expect(await !connection.isReusable)
    }
  }

  @Test("a connection that the server closes behind its answer is of no more use")
  func obeysClose() async throws {
    let handler = TestHandler(respond: { _ in .text("bye", headers: ["Connection": "close"]) })
    try await withServer(handler) { server in
      let connection = try await connect(server)
      #expect(try await connection.send(get("/"), within: .seconds(20)).status == .ok)
      #expect(await !connection.isReusable)
      let failure = await #expect(throws: HTTPExchangeFailure.self) {
        try await connection.send(get("/"), within: .seconds(20))
      }
      #expect(failure?.wasWritten == false && failure?.broughtNothing == false)
    }
  }

  @Test("the end of an idle connection is noticed")
  func noticesEnd() async throws {
    try await withServer(timeouts: HTTPTimeouts(idle: .seconds(1))) { server in
      let connection = try await connect(server)
      #expect(try await connection.send(get("/"), within: .seconds(20)).status == .ok)
      while await connection.isReusable { try await server.goRound() }
    }
  }

  @Test("a connection that is idle for too long closes by itself")
  func idleTime() async throws {
    try await withServer { server in
      let connection = try await connect(server, idleTime: .milliseconds(1))
      while await connection.isReusable { try await server.goRound() }
      let failure = await #expect(throws: HTTPExchangeFailure.self) {
        try await connection.send(get("/"), within: .seconds(20))
      }
      #expect(failure?.broughtNothing == true && failure?.wasWritten == false)
    }
  }

  @Test("a cancelled exchange throws and closes the connection")
  func cancellation() async throws {
    let (arrived, release) = (Signal(), Signal())
    let handler = TestHandler(respond: { _ in
      arrived.give()
      await release.wait()
      return .text("late")
    })
    try await withServer(handler) { server in
      let connection = try await connect(server)
      try await withThrowingTaskGroup { group in
        group.addTask {
          let failure = await #expect(throws: HTTPExchangeFailure.self) {
            try await connection.send(HTTPRequest(target: "/", headers: ["Host": "x"]), within: .seconds(20))
          }
          #expect(failure?.wasWritten == true)
          guard case .network(let error) = failure?.cause else { return #expect(Bool(false)) }
          #expect(error.code == .cancelled)
        }
        await arrived.wait()
        group.cancelAll()
        try await group.waitForAll()
      }
      #expect(await !connection.isReusable)
      release.give()
    }
  }

  @Test("a deadline ends the wait for an answer")
  func deadline() async throws {
    let release = Signal()
    let handler = TestHandler(respond: { _ in
      await release.wait()
      return .text("late")
    })
    try await withServer(handler) { server in
      let connection = try await connect(server)
      let failure = await #expect(throws: HTTPExchangeFailure.self) {
        try await connection.send(get("/"), within: .milliseconds(10))
      }
      guard case .network(let error) = failure?.cause else { return #expect(Bool(false)) }
      #expect(error.code == .timedOut)
      #expect(failure?.wasWritten == true)
      release.give()
    }
  }

  @Test("an answer that comes before the body has gone counts")
  func earlyAnswer() async throws {
    try await withServer(limits: HTTPLimits(bodyBytes: 1000)) { server in
      let connection = try await connect(server)
      let body = [UInt8](repeating: 1, count: 32 << 20)
      let response = try await connection.send(
        HTTPRequest(method: .post, target: "/", headers: ["Host": "x"], body: body), within: .seconds(20))
      #expect(response.status == .contentTooLarge)
      #expect(await !connection.isReusable)
    }
  }

  @Test("an answer over the limit is refused")
  func limit() async throws {
    let handler = TestHandler(respond: { _ in .bytes([UInt8](repeating: 1, count: 2000), type: "x/y") })
    try await withServer(handler) { server in
      let connection = try await connect(server, limits: HTTPLimits(bodyBytes: 1000))
      let failure = await #expect(throws: HTTPExchangeFailure.self) {
        try await connection.send(get("/"), within: .seconds(20))
      }
      guard case .http(let error) = failure?.cause else { return #expect(Bool(false)) }
      #expect(error.code == .bodyTooLarge)
    }
  }

  @Test("a request that would break its line is never written, and the connection stays")
  func unsendable() async throws {
    try await withServer { server in
      let connection = try await connect(server)
      let failure = await #expect(throws: HTTPExchangeFailure.self) {
        try await connection.send(get("/a b"), within: .seconds(20))
      }
      #expect(failure?.wasWritten == false)
      #expect(try await connection.send(get("/"), within: .seconds(20)).status == .ok)
      await connection.close()
    }
  }

  @Test("a WebSocket opens on a connection that was used before")
  func opensWebSocket() async throws {
    try await withServer { server in
      let connection = try await connect(server)
      #expect(try await connection.send(get("/"), within: .seconds(20)).status == .ok)
      let opening = try await connection.openWebSocket(
        WebSocketClientHandshake(host: "x", target: "/socket"), WebSocketSettings(), within: .seconds(20))
      guard case .opened(let socket) = opening else { return #expect(Bool(false)) }
      try await socket.send("hello")
      #expect(await socket.receive()?.text == "hello")
      await socket.close()
      #expect(await socket.receive() == nil)
      #expect(await !connection.isReusable)
    }
  }

  @Test("an answer other than 101 is given back")
  func refusedWebSocket() async throws {
    try await withServer { server in
      let connection = try await connect(server)
      let opening = try await connection.openWebSocket(
        WebSocketClientHandshake(host: "x", target: "/other"), WebSocketSettings(), within: .seconds(20))
      guard case .refused(let response) = opening else { return #expect(Bool(false)) }
      #expect(response.status == .ok)
      await connection.close()
    }
  }

  @Test("a consumer gets what came before it, what comes then, and the end")
  func consumer() async throws {
    let handler = TestHandler(socket: { socket in
      for number in 1...100 { try await socket.send("\(number)") }
      throw WebSocketClosure(.missedMessages, "enough")
    })
    try await withServer(handler) { server in
      let connection = try await connect(server)
      let opening = try await connection.openWebSocket(
        WebSocketClientHandshake(host: "x", target: "/socket"), WebSocketSettings(), within: .seconds(20))
      guard case .opened(let socket) = opening else { return #expect(Bool(false)) }
      let collector = Collector()
      socket.transport.deliver(to: collector)
      await collector.ended.wait()
      #expect(collector.texts.withLock { $0 } == (1...100).map(String.init))
      #expect(collector.close.withLock { $0 }?.code == .missedMessages)
    }
  }

  @Test("a consumer that was stopped gets nothing more, not even the end")
  func stoppedConsumer() async throws {
    let handler = TestHandler(socket: { socket in
      _ = await socket.receive()
      for number in 1...10 { try await socket.send("\(number)") }
    })
    try await withServer(handler) { server in
      let connection = try await connect(server)
      let opening = try await connection.openWebSocket(
        WebSocketClientHandshake(host: "x", target: "/socket"), WebSocketSettings(), within: .seconds(20))
      guard case .opened(let socket) = opening else { return #expect(Bool(false)) }
      let collector = Collector()
      socket.transport.deliver(to: collector)
      try await socket.send("go")
      socket.transport.stopDelivering(WebSocketClosure(.normal))
      try await server.goRound()
      #expect(collector.texts.withLock { $0 }.isEmpty)
      #expect(!collector.ended.isGiven)
      socket.transport.leave(WebSocketClosure(.normal))
    }
  }
}

private final class Collector: WebSocketConsumer {
  let texts = Lock([String]())
  let close = Lock<WebSocketClose?>(nil)
  let ended = Signal()

  func received(_ messages: [WebSocketMessage]) {
    texts.withLock { $0 += messages.compactMap(\.text) }
  }

  func socketEnded(_ close: WebSocketClose) {
    self.close.withLock { $0 = close }
    ended.give()
  }
}
