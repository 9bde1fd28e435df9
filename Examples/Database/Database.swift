//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A PostgreSQL database: statements with parameters, rows as `Codable` values, transactions.
///
/// It has some connections, each with a thread of its own that may block. They are opened when they are first needed; one that is
/// lost, or given up with a statement that took too long or was cancelled, is opened again at the next statement. ``withDatabase(_:connections:limits:_:)`` runs one in a scope.
public final class Database: Sendable {
  public struct Limits: Sendable {
    /// Statements and transactions that wait for a connection.
    public var waiting = 1_000
    /// How long one of them may wait.
    public var patience = Duration.seconds(10)
    /// How long a statement may take.
    public var statement = Duration.seconds(30)
    /// How long connecting may take.
    public var connect = Duration.seconds(10)
    /// Of the result of a statement.
    public var resultBytes = 16 << 20

    public init() {}
  }

  let queue: ConnectionQueue
  private let connections: [Connection]
  private let limits: Limits

  /// Connects to nothing yet.
  ///
  /// - Parameters:
  ///   - url: `postgres://user:password@host:port/database`, with what libpq takes behind a question mark.
  ///   - connections: how many statements and transactions can be under way at a time, 1 to 100.
  /// - Throws: ``DatabaseError/Code/invalidURL``.
  public init(_ url: String, connections count: Int = 4, limits: Limits = .init()) throws(DatabaseError) {
    let url = try DatabaseURL(url)
    var connections: [Connection] = []
    for _ in 0..<min(max(1, count), 100) { connections.append(try Connection(to: url, limits: limits)) }
    self.connections = connections
    self.limits = limits
    queue = ConnectionQueue(limit: limits.waiting, patience: limits.patience)
  }

  /// Keeps the database open until the calling task is cancelled. Statements wait for its beginning.
  ///
  /// At the end those that wait or are under way fail, the connections are closed, and their threads have ended when this
  /// returns. It can't be run again.
  ///
  /// - Throws: ``DatabaseError/Code/notRunning`` when it ran before.
  public func run() async throws(DatabaseError) {
    try queue.open(with: connections)
    // Whoever waited for too long is told so within a second.
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      queue.expire()
    }
    queue.close()
    for connection in connections { connection.interrupt() }
    for connection in connections {
      await connection.close()
      await connection.thread.stop()
    }
  }

  // MARK: Statements

  /// Runs one statement, and gives its rows.
  ///
  /// - Parameters:
  ///   - sql: one statement, with `$1`, `$2`, … for the parameters. Never put a value into it.
  ///   - parameters: the values, sent beside the statement.
  /// - Throws: ``DatabaseError``. A statement during which the connection was lost may have been run.
  @discardableResult
  public func query(_ sql: String, _ parameters: [Parameter] = []) async throws(DatabaseError) -> Rows {
    let connection = try await take()
    defer { queue.giveBack(connection) }
    return try await connection.run(sql, parameters)
  }

  /// The same, with each row as a value of a type; see ``Row/decoded(as:)``.
  public func query<Value: Decodable>(
    _ sql: String, _ parameters: [Parameter] = [], as type: Value.Type
  ) async throws(DatabaseError) -> [Value] {
    try await query(sql, parameters).decoded()
  }

  /// Runs one statement, and says how many rows it inserted, updated or deleted.
  @discardableResult
  public func execute(_ sql: String, _ parameters: [Parameter] = []) async throws(DatabaseError) -> Int {
    try await query(sql, parameters).affected
  }

  /// Runs the closure with a connection of its own, whose statements are one transaction: committed when the closure returns,
  /// rolled back when it throws.
  ///
  /// - Throws: what the closure throws, and ``DatabaseError``. When the connection is lost while it commits, it may be committed.
  @discardableResult
  public func transaction<Result: Sendable>(
    _ isolation: Transaction.Isolation = .readCommitted, _ body: (Transaction) async throws -> Result
  ) async throws -> Result {
    let connection = try await take()
    defer { queue.giveBack(connection) }
    return try await Transaction.run(isolation, on: connection, body)
  }

  /// A connection that is there, to be given back to the queue. A database that has not been reached yet is given time to start;
  /// where one that was is away, that is the answer.
  private func take() async throws(DatabaseError) -> Connection {
    let connection = try await queue.take()
    do throws(DatabaseError) {
      try await connection.prepare(patience: queue.wasReached ? .zero : limits.patience)
    } catch {
      queue.giveBack(connection)
      throw error
    }
    queue.reached()
    return connection
  }
}
