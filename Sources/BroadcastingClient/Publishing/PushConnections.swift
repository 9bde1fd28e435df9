//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// The connections for publishing: a ``ConnectionPool``, and those who sleep because of it.
actor PushConnections {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private enum Wake {
    case lease(ConnectionPool<HTTPClientConnection, Sleeper>.Lease)
    case failure(BroadcastError)
  }

  private typealias Sleeper = UnsafeContinuation<Wake, Never>

  /// Calls that may wait. Each is a task of the program's, and its message is in memory.
  private static let maximumWaiting = 65_536

  private let dialer: Dialer
  private let timeout: Duration
  private var pool: ConnectionPool<HTTPClientConnection, Sleeper>
  private var inUse: [ObjectIdentifier: HTTPClientConnection] = [:]
  /// Which connections may come back: those that were lent since the way was lost last.
  private var generation = 0
  private var lastTicket = 0
  private var place: Deadlines.Place?
  private var endReason: BroadcastError?

  init(_ dialer: Dialer, limit: Int, timeout: Duration) {
    loop = dialer.loop
    self.dialer = dialer
    self.timeout = timeout
    pool = ConnectionPool(limit: limit, maximumWaiting: Self.maximumWaiting, idleTime: Dialer.idleTime)
  }

  struct Lent: Sendable {
    let connection: HTTPClientConnection
    fileprivate let generation: Int
    /// It has carried a request before, so that it may have ended without this end's knowing.
    let wasFree: Bool
  }

  /// Gives a connection to whoever asks, by the deadline.
  ///
  /// - Throws: An error with the outcome `notSent`; its cause is a `NetworkError` where the server
  ///   could not be reached.
  func lend(by deadline: ContinuousClock.Instant) async throws(BroadcastError) -> Lent {
    if let endReason { throw endReason }
    let lease = try await lease(by: deadline)
    if let endReason {
      give(nil)
      throw endReason
    }
    switch lease {
    case .use(let connection): return note(connection, wasFree: true)
    case .connect: return note(try await connect(by: deadline), wasFree: false)
    }
  }

  /// Takes a connection back.
  func takeBack(_ lent: Lent) {
    inUse[ObjectIdentifier(lent.connection)] = nil
    let isReusable = lent.generation == generation && lent.connection.assumeIsolated { $0.isReusable }
    if !isReusable { Self.close([lent.connection]) }
    give(isReusable ? lent.connection : nil)
  }

  /// Takes a connection that was opened for something else.
  func adopt(_ connection: HTTPClientConnection) {
    let isWanted = endReason == nil && connection.assumeIsolated { $0.isReusable } && pool.add(connection, now: .now)
    if !isWanted { Self.close([connection]) }
  }

  /// The way to the server was lost: what is free was probably lost as well, and what is in use will not be used again.
  func dropFree() {
    generation += 1
    Self.close(pool.takeFree())
  }

  /// Nobody need wait any longer: the server cannot be reached.
  func fail(_ error: BroadcastError) {
    let waiting = pool.takeWaiting()
    stopClock()
    for sleeper in waiting { sleeper.resume(returning: .failure(error)) }
    dropFree()
  }

  /// The end: closes also what is in use.
  func close(_ reason: BroadcastError) {
    endReason = reason
    fail(reason)
    Self.close(Array(inUse.values))
  }

  // MARK: Inside

  private func note(_ connection: HTTPClientConnection, wasFree: Bool) -> Lent {
    inUse[ObjectIdentifier(connection)] = connection
    return Lent(connection: connection, generation: generation, wasFree: wasFree)
  }

  private func connect(by deadline: ContinuousClock.Instant) async throws(BroadcastError) -> HTTPClientConnection {
    let left = deadline - .now
    let connection: HTTPClientConnection
    do throws(NetworkError) {
      connection = try await dialer.connect(within: max(.zero, left))
    } catch {
      give(nil)
      // It was waiting that took the time, and says nothing of the server.
      if error.code == .timedOut, left < dialer.connectTimeout { throw noneFree }
      throw RemoteError.connecting(error, to: dialer.url, outcome: .notSent)
    }
    if let endReason {
      Self.close([connection])
      give(nil)
      throw endReason
    }
    return connection
  }

  /// They live on this loop too.
  private static func close(_ connections: [HTTPClientConnection]) {
    for connection in connections { connection.assumeIsolated { $0.close() } }
  }

  private func give(_ connection: HTTPClientConnection?) {
    let (next, expired) = pool.giveBack(connection, now: .now)
    for sleeper in expired { sleeper.resume(returning: .failure(noneFree)) }
    if let next { next.waiter.resume(returning: .lease(next.lease)) }
  }

  private func lease(
    by deadline: ContinuousClock.Instant
  ) async throws(BroadcastError) -> ConnectionPool<HTTPClientConnection, Sleeper>.Lease {
    lastTicket += 1
    let ticket = lastTicket
    if Task.isCancelled { throw RemoteError.cancelled(.notSent) }
    var old: [HTTPClientConnection] = []
    let wake = await withTaskCancellationHandler {
      await withUnsafeContinuation { (sleeper: Sleeper) in
        let (answer, tooOld) = pool.lease(ticket, deadline: deadline, now: .now, sleeper)
        old = tooOld
        switch answer {
        case .lease(let lease): sleeper.resume(returning: .lease(lease))
        case .refuse: sleeper.resume(returning: .failure(RemoteError.tooManyWait(Self.maximumWaiting)))
        case .wait: startClock()
        }
        // A cancellation that came before looked for a ticket that was not there.
        if Task.isCancelled { cancel(ticket) }
      }
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.cancel(ticket) } }
    }
    Self.close(old)
    switch wake {
    case .lease(let lease): return lease
    case .failure(let error): throw error
    }
  }

  private func cancel(_ ticket: Int) {
    pool.forget(ticket)?.resume(returning: .failure(RemoteError.cancelled(.notSent)))
  }

  /// One look a second at those who wait, while there are any. Those who come meanwhile do not put it off.
  private func startClock() {
    if place != nil { return }
    place = loop.deadlines.add(self)
    setClock()
  }

  private func setClock() {
    if let place { loop.deadlines.set(place, to: loop.now + .seconds(1)) }
  }

  private func stopClock() {
    if let place = place.take() { loop.deadlines.remove(place) }
  }

  private var noneFree: BroadcastError { RemoteError.noneFree(timeout, connections: pool.limit) }

  fileprivate func tick() {
    for sleeper in pool.expire(now: .now) { sleeper.resume(returning: .failure(noneFree)) }
    if pool.waitingCount > 0 { setClock() } else { stopClock() }
  }
}

extension PushConnections: DeadlineTarget {
  nonisolated func deadlinePassed() { assumeIsolated { $0.tick() } }
}
