//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
package import BroadcastingNetwork

/// One loop's share of a server: accepts connections, and serves each as a child of its own ``serve(_:)``.
package actor HTTPService {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

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
    do {
      try await withThrowingDiscardingTaskGroup { group in
        while let stream = try await listener.accept() {
          // Until then the others wait in the listener's queue, and in the kernel.
          guard await hasRoom() else {
            stream.reset()
            break
          }
          let connection = HTTPConnection(stream, limits: limits, timeouts: timeouts)
          connections[ObjectIdentifier(connection)] = connection
          group.addTask(executorPreference: loop) {
            await connection.serve(handler)
            await self.remove(connection)
          }
        }
        await listener.close()
        group.cancelAll()
      }
    } catch {
      await listener.close()
      throw error
    }
  }

  private func remove(_ connection: HTTPConnection) {
    connections[ObjectIdentifier(connection)] = nil
    allowance.giveBack()
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
    case .held:
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
