//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// Statements of one transaction, inside of the closure of ``Database/transaction(_:_:)``. After that they fail.
public final class Transaction: Sendable {
  public enum Isolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    /// All statements see the same state.
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
  }

  private let connection: Connection
  private let isOver = Mutex(false)

  private init(_ connection: Connection) { self.connection = connection }

  /// As ``Database/query(_:_:)``. After an error of the database the transaction takes no more statements, and is rolled back.
  @discardableResult
  public func query(_ sql: String, _ parameters: [Parameter] = []) async throws(DatabaseError) -> Rows {
    guard !isOver.withLock({ $0 }) else { throw DatabaseError(.notRunning, "The transaction is over.") }
    return try await connection.run(sql, parameters)
  }

  public func query<Value: Decodable>(
    _ sql: String, _ parameters: [Parameter] = [], as type: Value.Type
  ) async throws(DatabaseError) -> [Value] {
    try await query(sql, parameters).decoded()
  }

  @discardableResult
  public func execute(_ sql: String, _ parameters: [Parameter] = []) async throws(DatabaseError) -> Int {
    try await query(sql, parameters).affected
  }

  /// Runs a text with several statements, such as a file.
  public func executeAll(_ statements: String) async throws(DatabaseError) {
    guard !isOver.withLock({ $0 }) else { throw DatabaseError(.notRunning, "The transaction is over.") }
    _ = try await connection.run(statements, [], isSeveral: true)
  }

  static func run<Result: Sendable>(
    _ isolation: Isolation, on connection: Connection, _ body: (Transaction) async throws -> Result
  ) async throws -> Result {
    let transaction = Transaction(connection)
    _ = try await connection.run("BEGIN ISOLATION LEVEL \(isolation.rawValue)", [])
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(transaction)) } catch { result = .failure(error) }
    transaction.isOver.withLock { $0 = true }
    guard case .success(let value) = result else {
      // Also when the task was cancelled. What can't be rolled back is, by the end of the connection.
      do { _ = try await connection.run("ROLLBACK", [], isShielded: true) } catch { await connection.close() }
      return try result.get()
    }
    // Cancelled here, nobody would know what became of it.
    let end = try await connection.run("COMMIT", [], isShielded: true)
    // The server's way to say that an earlier statement had failed, whatever the closure made of it.
    guard end.command == "COMMIT" else {
      throw DatabaseError(.refused, "The transaction was rolled back, since one of its statements failed.")
    }
    return value
  }
}
