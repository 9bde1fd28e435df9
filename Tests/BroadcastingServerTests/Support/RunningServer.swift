//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import BroadcastingServer

/// A server that runs for the time of a test, and the loop that its clients are on.
struct RunningServer: Sendable {
  let port: UInt16
  let broadcast: any Broadcast
  let loop: EventLoop
  let events: EventLog
  fileprivate let stopping: Gate
  fileprivate let stopped: Gate

  fileprivate let clients = Clients()
  fileprivate let budgets: Budgets

  /// What the logs of the server hold for slow sockets.
  var loggedBytes: Int { budgets.all.withLock { $0.reduce(0) { $0 + $1.heldBytes } } }

  /// What they and the backend hold.
  var heldBytes: Int { loggedBytes + broadcast.statistics.bytesHeld }

  func connect() async throws -> TestClient {
    let client = try await TestClient.connect(to: port, on: loop)
    clients.all.withLock { $0.append(client) }
    return client
  }

  /// A client that has subscribed.
  func subscriber(_ target: String = "/events", _ headers: HTTPHeaders = [:]) async throws -> TestClient {
    let client = try await connect()
    let response = try await client.upgrade(target, headers)
    guard response?.status == .switchingProtocols else {
      throw NetworkError(.closed, "no 101 but \(String(describing: response?.status))")
    }
    return client
  }

  /// Begins to stop the server.
  func stop() { stopping.open() }

  /// Returns when the server's `run()` has returned.
  func hasStopped() async { await stopped.wait() }
}

/// Runs a server on any free port while `body` runs, and ends it behind it.
func withServer(
  loops: Int = 1, over broadcast: (any Broadcast)? = nil,
  configure: (inout BroadcastServer.Configuration) -> Void = { _ in },
  routes: (inout Routes) -> Void = { _ in }, _ body: @Sendable (RunningServer) async throws -> Void
) async throws {
  if let broadcast {
    try await serve(loops, broadcast, configure, routes, body)
  } else {
    try await withBroadcast(MemoryBroadcast()) { try await serve(loops, $0, configure, routes, body) }
  }
}

private func serve(
  _ loops: Int, _ broadcast: any Broadcast,
  _ configure: (inout BroadcastServer.Configuration) -> Void, _ routes: (inout Routes) -> Void,
  _ body: @Sendable (RunningServer) async throws -> Void
) async throws {
  var configuration = BroadcastServer.Configuration(port: 0)
  configuration.loops = loops
  // Whoever is closed at once in a test has to be.
  configuration.timeouts.closingSpread = .seconds(86_400)
  configure(&configuration)
  let budgets = Budgets()
  configuration.onBudget = { budget in budgets.all.withLock { $0.append(budget) } }
  let events = EventLog()
  let (addresses, found) = AsyncStream<String>.makeStream()
  let report = configuration.onEvent
  configuration.onEvent = { event in
    if event.kind == .listening, let first = event.addresses?.first { found.yield(first) }
    events.append(event)
    report(event)
  }
  let server = BroadcastServer(broadcast, configuration: configuration, routes: routes)
  let (stopping, stopped) = (Gate(), Gate())
  try await withEventLoops(count: 1) { clients in
    try await withThrowingTaskGroup { group in
      group.addTask {
        defer {
          found.finish()
          stopped.open()
        }
        try await runUntilFirstCompletes({ try await server.run() }, { await stopping.wait() })
      }
      var iterator = addresses.makeAsyncIterator()
      if let address = await iterator.next(), let port = UInt16(address.split(separator: ":").last ?? "") {
        let running = RunningServer(
          port: port, broadcast: broadcast, loop: clients[0], events: events, stopping: stopping, stopped: stopped,
          budgets: budgets)
        try await withTaskExecutorPreference(clients[0]) {
          try await body(running)
          // The server must not wait for close frames which nobody answers.
          for client in running.clients.all.withLock({ $0 }) { await client.disconnect() }
        }
        stopping.open()
      }
      try await group.waitForAll()
    }
  }
}

private final class Budgets: Sendable {
  let all = Lock<[MemoryBudget]>([])
}

private final class Clients: Sendable {
  let all = Lock<[TestClient]>([])
}

/// What a server told.
final class EventLog: Sendable {
  private let events = Lock<[ServerEvent]>([])
  var all: [ServerEvent] { events.withLock { $0 } }
  func append(_ event: ServerEvent) { events.withLock { $0.append(event) } }
}

/// Something that happens once, for any number of tasks to wait for.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var last = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  }
  private let state = Lock(State())

  var isOpen: Bool { state.withLock { $0.isOpen } }

  func open() {
    let waiters = state.withLock { state in
      state.isOpen = true
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume() }
  }

  /// Waits until it is open, or the task is cancelled.
  func wait() async {
    let number = state.withLock { state in
      state.last += 1
      return state.last
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let isOver = state.withLock { state in
          if state.isOpen || Task.isCancelled { return true }
          state.waiters[number] = waiter
          return false
        }
        if isOver { waiter.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
    }
  }
}
