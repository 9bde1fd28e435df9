//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Who may use which connection: those that are free, and those who wait, as a state machine that does nothing itself.
///
/// There are at most `limit` connections, and each has one user. Whoever finds none free, and no room for one more, waits;
/// a connection that comes back goes to whoever waits longest. The one that was used last is used first, so that in quiet
/// times the others grow old and go.
struct ConnectionPool<Connection: Sendable, Waiter: Sendable> {
  typealias Ticket = Int

  /// What somebody has to do, or gets.
  enum Lease: Sendable {
    case use(Connection)
    /// Connect, and give back the connection, or nil where that failed.
    case connect
  }

  enum Answer {
    case lease(Lease)
    /// The waiter is kept.
    case wait
    /// Too many wait already.
    case refuse
  }

  struct Waiting {
    let ticket: Ticket
    let waiter: Waiter
    let deadline: Instant
  }

  typealias Instant = ContinuousClock.Instant

  let limit: Int
  let maximumWaiting: Int
  /// How long a free connection may be kept. By a clock that goes on while the machine sleeps: what lies behind may have
  /// forgotten the connection meanwhile.
  let idleTime: Duration
  private(set) var used = 0
  private var free: [(connection: Connection, since: Instant)] = []
  private var waiting: [Waiting] = []
  private var firstWaiting = 0

  init(limit: Int, maximumWaiting: Int, idleTime: Duration) {
    self.limit = max(1, limit)
    self.maximumWaiting = maximumWaiting
    self.idleTime = idleTime
  }

  var freeCount: Int { free.count }
  var waitingCount: Int { waiting.count - firstWaiting }

  /// Asks for a connection.
  ///
  /// - Returns: The answer, and connections which are too old, to be closed.
  mutating func lease(
    _ ticket: Ticket, deadline: Instant, now: Instant, _ waiter: @autoclosure () -> Waiter
  ) -> (answer: Answer, old: [Connection]) {
    let fresh = free.firstIndex { now - $0.since < idleTime } ?? free.count
    let old = free[..<fresh].map(\.connection)
    free.removeFirst(fresh)
    if let last = free.popLast() {
      used += 1
      return (.lease(.use(last.connection)), old)
    }
    if used < limit {
      used += 1
      return (.lease(.connect), old)
    }
    guard waitingCount < maximumWaiting else { return (.refuse, old) }
    waiting.append(Waiting(ticket: ticket, waiter: waiter(), deadline: deadline))
    return (.wait, old)
  }

  /// Somebody is done. `connection` is nil where it is of no more use.
  ///
  /// - Returns: Who gets it, or has to connect in its place; and those before him whose time was over.
  mutating func giveBack(
    _ connection: Connection?, now: Instant
  ) -> (next: (waiter: Waiter, lease: Lease)?, expired: [Waiter]) {
    var expired: [Waiter] = []
    while let first = popWaiting() {
      if first.deadline > now { return ((first.waiter, connection.map(Lease.use) ?? .connect), expired) }
      expired.append(first.waiter)
    }
    used -= 1
    if let connection { free.append((connection, now)) }
    return (nil, expired)
  }

  /// Takes one that was opened for something else. False where there is no room for it.
  mutating func add(_ connection: Connection, now: Instant) -> Bool {
    guard used + free.count < limit else { return false }
    free.append((connection, now))
    return true
  }

  /// Somebody waits no more. Nil when he was not waiting.
  mutating func forget(_ ticket: Ticket) -> Waiter? {
    guard let index = waiting[firstWaiting...].firstIndex(where: { $0.ticket == ticket }) else { return nil }
    return waiting.remove(at: index).waiter
  }

  /// Those whose time is over. Whoever asks a second time has less of it left than others who came before him, so all are
  /// looked at.
  mutating func expire(now: Instant) -> [Waiter] {
    let expired = waiting[firstWaiting...].filter { $0.deadline <= now }.map(\.waiter)
    if !expired.isEmpty {
      waiting = waiting[firstWaiting...].filter { $0.deadline > now }
      firstWaiting = 0
    }
    return expired
  }

  /// The way to the server is lost: gives all that are free, to be closed.
  mutating func takeFree() -> [Connection] {
    defer { free = [] }
    return free.map(\.connection)
  }

  /// And all who wait, to be told.
  mutating func takeWaiting() -> [Waiter] {
    defer {
      waiting = []
      firstWaiting = 0
    }
    return waiting[firstWaiting...].map(\.waiter)
  }

  private mutating func popWaiting() -> Waiting? {
    guard firstWaiting < waiting.count else { return nil }
    let next = waiting[firstWaiting]
    firstWaiting += 1
    if firstWaiting > 64, firstWaiting > waiting.count / 2 {
      waiting.removeFirst(firstWaiting)
      firstWaiting = 0
    } else if firstWaiting == waiting.count {
      waiting.removeAll()
      firstWaiting = 0
    }
    return next
  }
}
