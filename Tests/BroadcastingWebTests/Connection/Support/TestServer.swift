//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingWeb

/// Something that happens once, for any number of tasks to wait for.
final class Signal: Sendable {
  private enum State {
    case waiting([CheckedContinuation<Void, Never>])
    case given
  }
  private let state = Lock(State.waiting([]))

  func give() {
    let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
      guard case .waiting(let waiters) = state else { return [] }
      state = .given
      return waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  var isGiven: Bool { state.withLock { if case .given = $0 { true } else { false } } }

  /// Not ended by a cancellation.
  func wait() async {
    await withCheckedContinuation { continuation in
      let isGiven = state.withLock { state in
        guard case .waiting(let waiters) = state else { return true }
        state = .waiting(waiters + [continuation])
        return false
      }
      if isGiven { continuation.resume() }
    }
  }
}

/// Answers by closures: sockets at `/socket`, and everything else.
struct TestHandler: HTTPHandler {
  var limits = WebSocketLimits()
  var timeouts = WebSocketTimeouts()
  var respond: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
    .text("\(request.method.rawValue) \(request.target) \(String(decoding: request.body, as: UTF8.self))")
  }
  /// Asked before the 101.
  var accept: @Sendable () async -> Void = {}
  var socket: @Sendable (WebSocket) async throws -> Void = { socket in
    while let message = await socket.receive() { try await socket.send(message) }
  }

  func answer(_ request: HTTPRequest, from peer: HTTPPeer) async -> HTTPAnswer {
    guard request.path == "/socket" else { return .response(await respond(request)) }
    switch WebSocketHandshake.answer(request) {
    case .refuse(let response):
      return .response(response)
    case .accept(let response, _):
      await accept()
      var head: [UInt8] = []
      _ = try? HTTPSerializer.append(response, to: &head)
      return .upgrade(
        WebSocketUpgrade(
          head: head,
          body: { [socket] webSocket in
            do {
              try await socket(webSocket)
              return nil
            } catch {
              return error
            }
          }))
    }
  }

  var sockets: WebSocketSettings { WebSocketSettings(limits: limits, timeouts: timeouts) }

  func closure(after error: any Error) -> WebSocketClosure {
    error as? WebSocketClosure ?? WebSocketClosure(error is CancellationError ? .goingAway : .internalError)
  }

  func answer(_ error: HTTPError) -> HTTPResponse { .text(error.message, status: error.status) }
}

/// Services on loops of their own, and clients on another one.
final class TestServer: Sendable {
  let address: SocketAddress
  let clientLoop: EventLoop
  private let stopping = Signal()
  private let stopped = Signal()
  private let clients = Lock([TestClient]())

  fileprivate init(_ address: SocketAddress, clientLoop: EventLoop) {
    self.address = address
    self.clientLoop = clientLoop
  }

  func connect(receiveBuffer: Int32? = nil) async throws -> TestClient {
    let client = TestClient(
      try await clientLoop.connect(to: address, within: .seconds(20)), receiveBuffer: receiveBuffer)
    clients.withLock { $0.append(client) }
    return client
  }

  /// Some round trips of a connection of its own: what others sent before has arrived then, where there is one loop.
  func goRound() async throws {
    let client = try await connect()
    for _ in 0..<100 {
      await client.get("/")
      guard await client.response() != nil else { throw NetworkError(.closed, "no answer") }
    }
    await client.close()
  }

  /// Cancels the task that serves.
  func stop() { stopping.give() }

  /// Returns when nothing is served any more.
  func ended() async { await stopped.wait() }

  fileprivate func serve(_ services: [HTTPService], _ handler: TestHandler) async throws {
    defer { stopped.give() }
    try await withThrowingTaskGroup { group in
      for service in services {
        group.addTask(executorPreference: service.loop) { try await service.serve(handler) }
      }
      await stopping.wait()
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  fileprivate func closeClients() async {
    for client in clients.withLock({ $0 }) { await client.close() }
  }
}

/// Serves while `body` runs, then stops, and looks that nothing is left on the loops.
func withServer(
  _ handler: TestHandler = TestHandler(), limits: HTTPLimits = HTTPLimits(), timeouts: HTTPTimeouts = HTTPTimeouts(),
  connections: Int = 1000, loops count: Int = 1, onEvent: @escaping @Sendable (ListenerEvent) -> Void = { _ in },
  _ body: (TestServer) async throws -> Void
) async throws {
  try await withEventLoops(count: count + 1) { loops in
    let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0, count: count)
    let allowance = ConnectionAllowance(connections)
    let server = TestServer(sockets.addresses[0], clientLoop: loops[count])
    let services = loops.dropLast().map {
      HTTPService(sockets, on: $0, limits: limits, timeouts: timeouts, allowance: allowance, onEvent: onEvent)
    }
    async let served: Void = server.serve(services, handler)
    do {
      try await withTaskExecutorPreference(server.clientLoop) { try await body(server) }
    } catch {
      Issue.record(error)
    }
    await server.closeClients()
    server.stop()
    try await served
    for loop in loops { await #expect(Handles(loop: loop).left == 0) }
    var left = 0
    while allowance.take() { left += 1 }
    #expect(left == connections)
  }
}

/// Looks at a loop from inside.
actor Handles {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  init(loop: EventLoop) { self.loop = loop }

  /// Handles that are open or closing, once the closing ones have had their turns.
  var left: Int {
    get async {
      for _ in 0..<100 where loop.handleCount > 0 {
        await withUnsafeContinuation { continuation in loop.inNextTurn { continuation.resume() } }
      }
      return loop.handleCount
    }
  }
}
