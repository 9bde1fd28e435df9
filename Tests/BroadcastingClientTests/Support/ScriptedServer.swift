//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import BroadcastingWeb

/// A server that answers as a test wants, and keeps the requests.
final class ScriptedServer: HTTPHandler {
  typealias Answer = @Sendable (HTTPRequest) async -> HTTPResponse?

  private let requestsSoFar = Lock([HTTPRequest]())
  private let respond: Lock<Answer>
  private let serve: @Sendable (WebSocket) async -> WebSocketClosure
  private let answersState: Bool
  let port: Int

  /// - Parameters:
  ///   - answer: The answer to a request; with nil it is what a server of ours does: a socket is opened, a message taken.
  ///   - answersState: Whether a socket that asks for positions gets the frame that says where its channel stands.
  ///   - socket: What to do with a socket, and how to close it.
  static func run(
    answer: @escaping Answer = { _ in nil }, answersState: Bool = true,
    socket: @escaping @Sendable (WebSocket) async -> WebSocketClosure = { socket in
      while await socket.receive() != nil {}
      return WebSocketClosure(.normal)
    },
    _ body: (ScriptedServer) async throws -> Void
  ) async throws {
    try await withEventLoops(count: 1) { loops in
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let server = ScriptedServer(Int(sockets.addresses[0].port), answer, socket, answersState)
      let service = HTTPService(
        sockets, on: loops[0], limits: HTTPLimits(), timeouts: HTTPTimeouts(), allowance: ConnectionAllowance(1000),
        onEvent: { _ in })
      let ending = Gate()
      async let served: Void = withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(executorPreference: loops[0]) { try await service.serve(server) }
        await ending.wait()
        group.cancelAll()
        try await group.waitForAll()
      }
      let result: Result<Void, any Error>
      do { result = .success(try await body(server)) } catch { result = .failure(error) }
      ending.open()
      try await served
      try result.get()
    }
  }

  private init(
    _ port: Int, _ answer: @escaping Answer, _ serve: @escaping @Sendable (WebSocket) async -> WebSocketClosure,
    _ answersState: Bool
  ) {
    self.answersState = answersState
    self.port = port
    respond = Lock(answer)
    self.serve = serve
  }

  var url: String { "http://127.0.0.1:\(port)" }
  var requests: [HTTPRequest] { requestsSoFar.withLock { $0 } }
  var pushes: [HTTPRequest] { requests.filter { $0.method == .post } }

  func answerWith(_ answer: @escaping Answer) { respond.withLock { $0 = answer } }

  func answer(_ request: HTTPRequest, from peer: HTTPPeer) async -> HTTPAnswer {
    requestsSoFar.withLock { $0.append(request) }
    if let response = await respond.withLock({ $0 })(request) { return .response(response) }
    if request.method == .post {
      let channel = (try? request.query()["channel"]) ?? "events"
      return .response(.json(Array("{\"channel\": \"\(channel)\", \"bytes\": \(request.body.count)}".utf8)))
    }
    guard case .accept(let response, _) = WebSocketHandshake.answer(request) else {
      return .response(Self.upgradeRequired)
    }
    var head: [UInt8] = []
    _ = try? HTTPSerializer.append(response, to: &head)
    let state = (try? request.query()).flatMap { query in
      answersState && query["positions"] == "true"
        ? "=- recovered \(PercentEncoding.encode(query["channel"] ?? ""))\n" : nil
    }
    return .upgrade(
      WebSocketUpgrade(head: head) { [serve] socket in
        if let state { try? await socket.send(state) }
        return await serve(socket)
      })
  }

  /// What a server of ours says to a request that asks for no socket.
  static let upgradeRequired = HTTPResponse.json(
    Array(#"{"error": {"code": "upgrade_required", "message": "This is a WebSocket."}}"#.utf8), status: .upgradeRequired
  )

  var sockets: WebSocketSettings { WebSocketSettings(timeouts: .init(close: .seconds(1))) }
  func closure(after error: any Error) -> WebSocketClosure { error as? WebSocketClosure ?? .init(.internalError) }
  func answer(_ error: HTTPError) -> HTTPResponse { .text(error.message, status: error.status) }
}

/// Something that happens once, for any number of tasks to wait for.
final class Gate: Sendable {
  private enum State {
    case closed([UnsafeContinuation<Void, Never>])
    case open
  }
  private let state = Lock(State.closed([]))

  func open() {
    let waiters = state.withLock { state -> [UnsafeContinuation<Void, Never>] in
      guard case .closed(let waiters) = state else { return [] }
      state = .open
      return waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func wait() async {
    await withUnsafeContinuation { waiter in
      let isOpen = state.withLock { state in
        guard case .closed(let waiters) = state else { return true }
        state = .closed(waiters + [waiter])
        return false
      }
      if isOpen { waiter.resume() }
    }
  }
}
