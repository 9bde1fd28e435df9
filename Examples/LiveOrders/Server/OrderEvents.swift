//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingJSON
import BroadcastingPostgres
import BroadcastingServer
import Database

/// The WebSocket `/order_events`: who subscribes there hears of each change of the table.
struct OrderEvents: Sendable {
  /// How long a client may take to say what it wants.
  private static let patience = Duration.seconds(10)
  /// How many orders the state has, the newest.
  private static let stateLimit = 500
  private static let channel: Channel = "orders"

  private let database: Database
  private let broadcast: PostgresBroadcast

  init(_ database: Database, _ broadcast: PostgresBroadcast) {
    self.database = database
    self.broadcast = broadcast
  }

  func serve(_ socket: WebSocket) async throws {
    do {
      guard let request = try await firstRequest(of: socket) else { return }
      try await runUntilFirstCompletes(
        { try await tell(socket, withState: request.state ?? false) },
        {
          // Nobody has to say more than that.
          if await socket.receive() != nil { throw OrderRequest.Refusal.surplus }
        })
    } catch let refusal as OrderRequest.Refusal {
      try await socket.send(refusal.frame)
      throw WebSocketClosure(.policyViolation, refusal.message)
    }
  }

  /// Nil when the client is gone.
  private func firstRequest(of socket: WebSocket) async throws -> OrderRequest? {
    let message = try await withThrowingTaskGroup(of: WebSocketMessage?.self) { group in
      group.addTask { await socket.receive() }
      group.addTask {
        try await Task.sleep(for: Self.patience)
        throw OrderRequest.Refusal.late
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    return try message.map { try OrderRequest($0) }
  }

  // MARK: Changes

  private func tell(_ socket: WebSocket, withState: Bool) async throws {
    try await broadcast.withSubscription(to: Self.channel) { changes in
      // Subscribed first and read then, so that nothing can fall between. What was read is not told once more.
      var seen = withState ? try await sendState(to: socket) : nil
      for try await delivery in changes.rowChanges(of: Order.self) {
        switch delivery {
        case .change(let change):
          if let seen, seen.includes(change.transaction) { continue }
          // An update of the id: whoever knows orders by that is told that the old one is gone.
          if let old = change.old, let new = change.new, old.id != new.id {
            try await socket.send(try frame("Order deleted", old))
          }
          try await socket.send(try frame(of: change))
        case .gap:
          guard withState else {
            throw WebSocketClosure(.missedMessages, "Changes may be missing. Connect again.")
          }
          seen = try await sendState(to: socket)
        }
      }
    }
  }

  private func frame(of change: RowChange<Order>) throws -> String {
    let title =
      switch change.action {
      case .insert: "New order"
      case .update: "Order update"
      case .delete: "Order deleted"
      case .truncate: "All orders deleted"
      }
    return try frame(title, change.new ?? change.old)
  }

  private func frame(_ title: String, _ order: Order?) throws -> String {
    #"{"message":"\#(title)","data":\#(try order?.json() ?? "null")}"#
  }

  /// Sends all orders, and says of which transactions they are the outcome.
  private func sendState(to socket: WebSocket) async throws -> TransactionSnapshot {
    let rows: Rows
    do throws(DatabaseError) {
      rows = try await database.query(
        """
        SELECT s.snapshot, o.* FROM (SELECT pg_current_snapshot()::text AS snapshot) AS s
        LEFT JOIN (SELECT id, name, quantity, price FROM orders ORDER BY id DESC LIMIT $1) AS o ON true
        ORDER BY o.id
        """, [Parameter(Self.stateLimit)])
    } catch {
      throw WebSocketClosure(.tryAgainLater, "The database can't be read now. Connect again later.")
    }
    let orders = try rows.filter { $0["id"] != nil }.map { try $0.decoded(as: Order.self).json() }
    try await socket.send(#"{"message":"Orders","data":[\#(orders.joined(separator: ","))]}"#)
    return try TransactionSnapshot(rows.first?["snapshot"] ?? "")
  }
}
