//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import Database

/// The users in the database. Whoever changes one tells of it in the same transaction.
struct Users: Sendable {
  private static let columns = """
    id, name, fullname, (
      SELECT coalesce(json_agg(json_build_object('id', a.id, 'email_address', a.email_address) ORDER BY a.id), '[]')
      FROM addresses a WHERE a.user_id = users.id
    ) AS addresses
    """

  let database: Database

  /// The users behind an id, in the order of their ids.
  func list(after id: Int, limit: Int) async throws -> [User] {
    try await database.query(
      "SELECT \(Self.columns) FROM users WHERE id > $1 ORDER BY id LIMIT $2", [Parameter(id), Parameter(limit)],
      as: User.self)
  }

  func user(_ id: Int) async throws -> User {
    let found = try await database.query(
      "SELECT \(Self.columns) FROM users WHERE id = $1", [Parameter(id)], as: User.self)
    return try Self.first(of: found, id)
  }

  func create(_ fields: UserFields) async throws -> User {
    guard let name = fields.name else {
      throw RequestError(.unprocessableContent, "missing_field", "\"name\" is missing. A user needs one.")
    }
    return try await changing(name) { transaction in
      let ids = try await transaction.query(
        """
        INSERT INTO users (name, fullname, password)
        VALUES ($1, coalesce($2, 'Unknown'), hash_password($3)) RETURNING id
        """, [Parameter(name), Parameter(fields.fullname), Parameter(fields.password)], as: Int.self)
      guard let id = ids.first else { throw DatabaseError(.refused, "The database gave the new user no id.") }
      try await assign(fields.addressIDs ?? [], to: id, in: transaction)
      return try await tell(.created, id, in: transaction)
    }
  }

  /// Changes what the fields say, and leaves the rest.
  func update(_ id: Int, _ fields: UserFields) async throws -> User {
    try await changing(fields.name) { transaction in
      let count = try await transaction.execute(
        """
        UPDATE users SET name = coalesce($2, name), fullname = coalesce($3, fullname),
          password = coalesce(hash_password($4), password)
        WHERE id = $1
        """, [Parameter(id), Parameter(fields.name), Parameter(fields.fullname), Parameter(fields.password)])
      guard count == 1 else { throw Self.missing(id) }
      if let addresses = fields.addressIDs { try await assign(addresses, to: id, in: transaction) }
      return try await tell(.updated, id, in: transaction)
    }
  }

  /// Deletes a user, whose addresses are nobody's then.
  func delete(_ id: Int) async throws {
    try await database.transaction { transaction in
      let user = try await read(id, in: transaction)
      try await transaction.execute("DELETE FROM users WHERE id = $1", [Parameter(id)])
      try await Changes.tell(.deleted, user, in: transaction)
    }
  }

  // MARK: Inside of a transaction

  private func changing(
    _ name: String?, _ body: (Transaction) async throws -> User
  ) async throws -> User {
    do {
      return try await database.transaction { try await body($0) }
    } catch let error as DatabaseError where error.sqlState == .uniqueViolation {
      throw RequestError(.conflict, "name_taken", "The name \(name ?? "") is taken. Choose another one.")
    }
  }

  /// Gives a user these addresses and no others. Whoever had one of them has it no longer, and that is told too.
  private func assign(_ addresses: [Int], to id: Int, in transaction: Transaction) async throws {
    struct Owned: Decodable {
      var id: Int
      var owner: Int?
    }
    let ids = Parameter(array: addresses.map { Parameter($0) })
    // In the order of their ids, so that two who want the same ones don't wait for each other.
    let found = try await transaction.query(
      "SELECT id, user_id AS owner FROM addresses WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE", [ids],
      as: Owned.self)
    let missing = addresses.filter { id in !found.contains { $0.id == id } }
    guard missing.isEmpty else {
      let list = missing.map(String.init).joined(separator: ", ")
      throw RequestError.invalid("addresses", "names what is not there: \(list). Create an address first.")
    }
    try await transaction.execute(
      "UPDATE addresses SET user_id = NULL WHERE user_id = $1 AND id <> ALL ($2::bigint[])", [Parameter(id), ids])
    try await transaction.execute(
      "UPDATE addresses SET user_id = $1 WHERE id = ANY ($2::bigint[])", [Parameter(id), ids])
    for owner in Set(found.compactMap(\.owner)).subtracting([id]).sorted() {
      _ = try await tell(.updated, owner, in: transaction)
    }
  }

  private func tell(_ action: Changes.Action, _ id: Int, in transaction: Transaction) async throws -> User {
    let user = try await read(id, in: transaction)
    try await Changes.tell(action, user, in: transaction)
    return user
  }

  private func read(_ id: Int, in transaction: Transaction) async throws -> User {
    let found = try await transaction.query(
      "SELECT \(Self.columns) FROM users WHERE id = $1", [Parameter(id)], as: User.self)
    return try Self.first(of: found, id)
  }

  private static func first(of found: [User], _ id: Int) throws(RequestError) -> User {
    guard let user = found.first else { throw missing(id) }
    return user
  }

  private static func missing(_ id: Int) -> RequestError {
    RequestError(.notFound, "no_user", "There is no user \(id).")
  }
}
