//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import Database

/// The addresses in the database. Whoever changes one tells of it in the same transaction.
struct Addresses: Sendable {
  let database: Database

  func address(_ id: Int) async throws -> Address {
    let found = try await database.query(
      "SELECT id, email_address FROM addresses WHERE id = $1", [Parameter(id)], as: Address.self)
    return try Self.first(of: found, id)
  }

  func create(_ fields: AddressFields) async throws -> Address {
    try await changing(
      .created, "INSERT INTO addresses (email_address) VALUES ($1)", [Parameter(fields.email)], id: nil)
  }

  func update(_ id: Int, _ fields: AddressFields) async throws -> Address {
    try await changing(
      .updated, "UPDATE addresses SET email_address = $2 WHERE id = $1", [Parameter(id), Parameter(fields.email)],
      id: id)
  }

  func delete(_ id: Int) async throws {
    _ = try await changing(.deleted, "DELETE FROM addresses WHERE id = $1", [Parameter(id)], id: id)
  }

  private func changing(
    _ action: Changes.Action, _ sql: String, _ parameters: [Parameter], id: Int?
  ) async throws -> Address {
    try await database.transaction { transaction in
      let changed = try await transaction.query(
        "\(sql) RETURNING id, email_address", parameters, as: Address.self)
      let address = try Self.first(of: changed, id ?? 0)
      try await Changes.tell(action, address, in: transaction)
      return address
    }
  }

  private static func first(of found: [Address], _ id: Int) throws(RequestError) -> Address {
    guard let address = found.first else {
      throw RequestError(.notFound, "no_address", "There is no address \(id).")
    }
    return address
  }
}
