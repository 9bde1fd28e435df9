//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import Database
import FoundationEssentials

/// What clients are notified of.
enum Changes {
  private static let channel: Channel = "users"

  enum Action: String, Encodable, Sendable { case created, updated, deleted }

  private struct Change: Encodable {
    var action: Action
    var user: User?
    var address: Address?
  }

  /// Whoever opens a socket with `?notify=users` hears of changes. Others get their answers alone.
  static func channels(for request: Request) throws(RequestError) -> [Channel] {
    let names = try request.query().values(of: "notify")
    guard names.allSatisfy({ $0 == channel.name }) else {
      throw RequestError(
        .badRequest, "unknown_channel", "Notifications are there of \(channel) alone: ?notify=\(channel).")
    }
    return names.isEmpty ? [] : [channel]
  }

  /// Tells of a change with the commit of its transaction, and never of one that is rolled back.
  static func tell(_ action: Action, _ user: User, in transaction: Transaction) async throws {
    try await publish(Change(action: action, user: user), in: transaction)
  }

  static func tell(_ action: Action, _ address: Address, in transaction: Transaction) async throws {
    try await publish(Change(action: action, address: address), in: transaction)
  }

  private static func publish(_ change: Change, in transaction: Transaction) async throws {
    let text = String(decoding: try JSON.encode(change), as: UTF8.self)
    try await transaction.query("SELECT broadcast.publish($1, $2)", [Parameter(channel.name), Parameter(text)])
  }
}
