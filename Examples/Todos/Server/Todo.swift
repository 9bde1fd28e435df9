//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingJSON
import BroadcastingServer
import Foundation

/// A row of the table, as its changes are told.
struct Todo: Codable, Sendable {
  var id: String
  var created_time: String
  var title: String
  var completed: Bool
}

/// What the sockets get: a todo, with what happened to it.
private struct TodoChange: Encodable {
  var action: String
  var todo: Todo?

  private enum CodingKeys: CodingKey { case action }

  func encode(to encoder: any Encoder) throws {
    try todo?.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(action, forKey: .action)
  }
}

extension LiveChanges {
  /// The changes of the table, as its trigger tells them.
  static let todos = LiveChanges(of: ["todos"]) { message in
    guard let row = try? message.rowChange(of: Todo.self) else { return nil }
    let todo = row.new ?? row.old
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(TodoChange(action: row.action.rawValue, todo: todo)) else { return nil }
    let isGone = row.action == .delete || row.action == .truncate
    var change = LiveChange(
      String(decoding: json, as: UTF8.self), keys: [row.old?.id, row.new?.id].compactMap { $0 },
      version: row.transaction, isDeletion: isGone)
    change.isForEveryKey = row.action == .truncate
    return change
  }
}
