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
    case socket(UpgradedSocket)
  }

  /// Connections that are dropped at a time when descriptors are used up.
  private static let droppedUnderPressure = 64

  /// A connection is left alone for so long after it began to wait: its request may be on its way.
  private static let grace = Duration.seconds(1)

  private let sockets: ListeningSockets
  private let limits: HTTPLimits
  private let timeouts: HTTPTimeouts
  private let allowance: ConnectionAllowance
  private let onEvent: @Sendable (ListenerEvent) -> Void
  private var connections: [ObjectIdentifier: HTTPConnection] = [:]
  private var arrivals: [Arrival] = []
  private var arrivalWaiter: UnsafeContinuation<Void, Never>?
  private var hasEnded = false
  /// There for as long as ``serve(_:)`` runs, once something had to wait.
  private var place: Deadlines.Place?
  private var isHeld = false
  private var waiter: UnsafeContinuation<Void, Never>?

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
      self?.assumeIsolated { $0.note(event) }
      onEvent(event)
    }
    allowance.join(self)
    defer {
      allowance.leave(self)
      if let place { loop.deadlines.remove(place) }
    }
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask(executorPreference: loop) { try await self.accept(from: listener) }
      while let arrival = await nextArrival() {
        switch arrival {
        case .connection(let connection):
          group.addTask(executorPreference: loop) { await self.serve(connection, handler) }
        case .socket(let upgraded):
          group.addTask(executorPreference: loop) { await self.serve(upgraded, handler) }
        }
      }
      group.cancelAll()
    }
  }

  private func accept(from listener: Listener) async throws {
    defer { endArrivals() }
    do {
      while let stream = try await listener.accept() {
        // Until there is room the others wait in the listener's queue, and in the kernel.
        guard await hasRoom() else {
          stream.reset()
          break
        }
        let connection = HTTPConnection(stream, limits: limits, timeouts: timeouts)
        connections[ObjectIdentifier(connection)] = connection
        add(.connection(connection))
      }
    } catch {
      await listener.close()
      throw error
    }
    await listener.close()
  }

  private func serve(_ connection: HTTPConnection, _ handler: some HTTPHandler) async {
    let upgraded = await connection.serve(handler)
    connections[ObjectIdentifier(connection)] = nil
    guard let upgraded else {
      allowance.giveBack()
      return
    }
    if hasEnded { await serve(upgraded, handler) } else { add(.socket(upgraded)) }
  }

  private func serve(_ upgraded: UpgradedSocket, _ handler: some HTTPHandler) async {
    await upgraded.socket.run(upgraded.body, closure: handler.closure(after:))
    allowance.giveBack()
  }

  // MARK: Arrivals

  private func add(_ arrival: Arrival) {
    arrivals.append(arrival)
    arrivalWaiter.take()?.resume()
  }

  private func endArrivals() {
    hasEnded = true
    arrivalWaiter.take()?.resume()
  }

  private func nextArrival() async -> Arrival? {
    while arrivals.isEmpty {
      if hasEnded { return nil }
      await withUnsafeContinuation { arrivalWaiter = $0 }
    }
    return arrivals.removeFirst()
  }

  // MARK: When there are too many

  /// Waits until one more connection is allowed. Silent ones have to go for it. False when the task is cancelled.
  private func hasRoom() async -> Bool {
    while !allowance.take() {
      allowance.makeRoom(1)
      lookAgainLater()
      await withTaskCancellationHandler {
        await withUnsafeContinuation { if Task.isCancelled { $0.resume() } else { waiter = $0 } }
      } onCancel: {
        loop.execute { self.assumeIsolated { $0.tryAgain() } }
      }
      if Task.isCancelled { return false }
    }
    return true
  }

  /// A connection has gone somewhere, or a second has passed.
  func tryAgain() { waiter.take()?.resume() }

  private func note(_ event: ListenerEvent) {
    switch event {
    case .held(let error):
      // Where it would not help nobody has to go.
      guard error.isForWantOfRoom else { return }
      isHeld = true
      allowance.makeRoom(Self.droppedUnderPressure)
      lookAgainLater()
    case .resumed:
      isHeld = false
    }
  }

  /// Closes connections that wait for a request, so that clients who open many and say nothing do not shut out the
  /// others: first those that never had one, and of these the ones that wait longest. Where there are many it takes some
  /// more than `count`, for all are looked at each time.
  func dropWaiting(_ count: Int) {
    let now = loop.now
    var waiting: [(hasBeenUsed: Bool, since: LoopInstant, connection: HTTPConnection)] = []
    for connection in connections.values {
      guard let (since, hasBeenUsed) = connection.assumeIsolated({ $0.waiting }), since + Self.grace <= now else {
        continue
      }
      waiting.append((hasBeenUsed, since, connection))
    }
    waiting.sort { $0.hasBeenUsed == $1.hasBeenUsed ? $0.since < $1.since : $1.hasBeenUsed }
    for (_, _, connection) in waiting.prefix(max(count, connections.count / 256)) {
      connection.assumeIsolated { $0.drop() }
    }
  }

  private func lookAgainLater() {
    let place = place ?? loop.deadlines.add(self)
    self.place = place
    loop.deadlines.set(place, to: loop.now + Self.grace)
  }

  private func lookAgain() {
    if isHeld {
      allowance.makeRoom(Self.droppedUnderPressure)
      lookAgainLater()
    }
    tryAgain()
  }
}

extension HTTPService: DeadlineTarget {
  package nonisolated func deadlinePassed() { assumeIsolated { $0.lookAgain() } }
}
