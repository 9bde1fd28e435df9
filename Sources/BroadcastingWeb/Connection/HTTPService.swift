//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
package import BroadcastingNetwork

/// One loop's share of a server: accepts connections, and serves each as a child of its own ``serve(_:)``.
///
/// A connection that becomes a WebSocket goes on in a second child: a task keeps the memory of the deepest calls it ever
/// made, and those of parsing and routing would stay with every socket that sleeps.
package actor HTTPService {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// What needs a child task.
  private enum Arrival {
    case connection(HTTPConnection)
    case socket(WebSocket)
  }

  /// Connections that are dropped at once when descriptors are used up.
  private static let droppedUnderPressure = 64

  private let sockets: ListeningSockets
  private let limits: HTTPLimits
  private let timeouts: HTTPTimeouts
  private let allowance: ConnectionAllowance
  private let onEvent: @Sendable (ListenerEvent) -> Void
  private var connections: [ObjectIdentifier: HTTPConnection] = [:]
  private var arrivals: [Arrival] = []
  private var waiter: UnsafeContinuation<Void, Never>?
  private var hasEnded = false

  /// - Parameter onEvent: is told, on the loop, when connections cannot be accepted, and when they can again.
  package init(
    _ sockets: ListeningSockets, on loop: EventLoop, limits: HTTPLimits, timeouts: HTTPTimeouts,
    allowance: ConnectionAllowance, onEvent: @escaping @Sendable (ListenerEvent) -> Void
  ) {
    self.loop = loop
    self.sockets = sockets
    self.limits = limits
    self.timeouts = timeouts
    self.allowance = allowance
    self.onEvent = onEvent
  }

  /// Serves until the task is cancelled or the loop ends, and returns when the last connection has ended.
  ///
  /// - Throws: ``NetworkError`` when listening is not possible.
  package func serve(_ handler: some HTTPHandler) async throws {
    let listener = try Listener(sockets, on: loop) { [weak self, onEvent] event in
      if case .held = event { self?.assumeIsolated { $0.dropWaiting(Self.droppedUnderPressure) } }
      onEvent(event)
    }
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask(executorPreference: loop) { try await self.accept(from: listener) }
      while let arrival = await nextArrival() {
        switch arrival {
        case .connection(let connection):
          group.addTask(executorPreference: loop) { await self.serve(connection, handler) }
        case .socket(let socket):
          group.addTask(executorPreference: loop) { await self.serve(socket) }
        }
      }
      group.cancelAll()
    }
  }

  private func accept(from listener: Listener) async throws {
    defer { endArrivals() }
    while let stream = try await listener.accept() {
      let connection = HTTPConnection(stream, limits: limits, timeouts: timeouts)
      connections[ObjectIdentifier(connection)] = connection
      if !allowance.take() { await makeRoom(listener) }
      add(.connection(connection))
    }
    await listener.close()
  }

  private func serve(_ connection: HTTPConnection, _ handler: some HTTPHandler) async {
    let socket = await connection.serve(handler)
    connections[ObjectIdentifier(connection)] = nil
    guard let socket else {
      allowance.giveBack()
      return
    }
    if hasEnded { await serve(socket) } else { add(.socket(socket)) }
  }

  private func serve(_ socket: WebSocket) async {
    await socket.run()
    allowance.giveBack()
  }

  // MARK: Arrivals

  private func add(_ arrival: Arrival) {
    arrivals.append(arrival)
    waiter.take()?.resume()
  }

  private func endArrivals() {
    hasEnded = true
    waiter.take()?.resume()
  }

  private func nextArrival() async -> Arrival? {
    while arrivals.isEmpty {
      if hasEnded { return nil }
      await withUnsafeContinuation { waiter = $0 }
    }
    return arrivals.removeFirst()
  }

  /// Descriptors are used up: drops the connections that wait for a request, those that wait longest first, so that
  /// clients who open many and say nothing do not shut out the others.
  private func dropWaiting(_ count: Int) {
    let waiting = connections.values
      .compactMap { connection in
        connection.assumeIsolated { $0.waitingSince }.map { (since: $0, connection: connection) }
      }
      .sorted { $0.since < $1.since }
    for (_, connection) in waiting.prefix(count) { connection.assumeIsolated { $0.drop() } }
  }

  /// As many connections as allowed are open: one goes, or new clients wait in the kernel.
  private func makeRoom(_ listener: Listener) async {
    dropWaiting(1)
    await listener.pause()
    allowance.whenFree {
      listener.loop.execute { listener.assumeIsolated { $0.resume() } }
    }
  }
}
