//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingJSON
import BroadcastingPostgres
import BroadcastingServer
import Database
import Foundation

/// The table of todos. What it gives is JSON, as PostgreSQL writes it.
struct TodoStore: Sendable {
  private let database: Database

  init(_ database: Database) { self.database = database }

  /// Makes the table, and has its changes told.
  func prepare() async throws {
    try await database.execute(PostgresBroadcast.migration)
    try await database.migrate("todos", String(decoding: PackageResources.migration_sql, as: UTF8.self))
  }

  // MARK: States

  /// All todos, as an array, with what a reader of the changes has to know.
  func all() async throws -> LiveState {
    try await state(
      """
      SELECT pg_current_snapshot() AS snapshot, todo_list() AS json
      """)
  }

  /// One todo.
  func one(_ id: UUID) async throws -> LiveState {
    try await state(
      "SELECT pg_current_snapshot() AS snapshot, todo_json(t) AS json FROM todos AS t WHERE id = $1", [Parameter(id)])
  }

  /// The snapshot is that of the same statement: a change whose transaction is in it is in the rows too.
  private func state(_ sql: String, _ parameters: [Parameter] = []) async throws -> LiveState {
    let row = try await query(sql, parameters)
    guard let json = row["json"], let snapshot = try row["snapshot"].map({ try TransactionSnapshot($0) }) else {
      throw RequestError.noTodo
    }
    return LiveState(json) { change in change.version.map(snapshot.includes) ?? false }
  }

  // MARK: Changes

  func create(_ title: String, completed: Bool) async throws -> (id: String, json: String) {
    let row = try await query(
      "INSERT INTO todos AS t (title, completed) VALUES ($1, $2) RETURNING id, todo_json(t) AS json",
      [Parameter(title), Parameter(completed)])
    return (row["id"] ?? "", row["json"] ?? "")
  }

  func update(_ id: UUID, _ input: TodoInput) async throws -> String {
    let row = try await query(
      """
      UPDATE todos AS t SET title = coalesce($2, title), completed = coalesce($3, completed) WHERE id = $1
      RETURNING todo_json(t) AS json
      """, [Parameter(id), Parameter(input.title), Parameter(input.completed)])
    return row["json"] ?? ""
  }

  func delete(_ id: UUID) async throws {
    _ = try await query("DELETE FROM todos WHERE id = $1 RETURNING id", [Parameter(id)])
  }

  func completeAll(_ completed: Bool) async throws {
    try await run("UPDATE todos SET completed = $1 WHERE completed <> $1", [Parameter(completed)])
  }

  func deleteCompleted() async throws { try await run("DELETE FROM todos WHERE completed") }

  // MARK: Statements

  private func run(_ sql: String, _ parameters: [Parameter] = []) async throws {
    do { try await database.execute(sql, parameters) } catch { throw RequestError.telling(error) }
  }

  /// The one row of a statement.
  private func query(_ sql: String, _ parameters: [Parameter] = []) async throws -> Row {
    do {
      guard let row = try await database.query(sql, parameters).first else { throw RequestError.noTodo }
      return row
    } catch let error as DatabaseError {
      throw RequestError.telling(error)
    }
  }
}

extension RequestError {
  static let noTodo = RequestError(.notFound, "no_todo", "There is no such todo.")

  /// What clients hear of a fault of the database.
  fileprivate static func telling(_ error: DatabaseError) -> any Error {
    switch error.code {
    case .unavailable, .busy, .timedOut, .notRunning:
      RequestError(
        .serviceUnavailable, "unavailable", "The database cannot be reached now. Try again.",
        headers: ["Retry-After": "1"])
    default: error
    }
  }
}
