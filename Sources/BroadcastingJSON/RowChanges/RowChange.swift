//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A change of a row that PostgreSQL tells: of a table that is watched by `broadcast.watch()` in the database.
///
/// It is read of a message with `Message.rowChange(of:)`, or of a subscription with `Subscription.rowChanges(of:)`, whatever
/// backend or server carried it.
public struct RowChange<Row: Decodable & Sendable>: Sendable {
  /// The schema of the table that is watched.
  public let schema: String
  /// The table that is watched: of a partition's row, the whole table.
  public let table: String
  public let action: RowAction
  /// The row as it is now: of an insertion and an update. Nil also where ``isTruncated``.
  public let new: Row?
  /// The row as it was: of an update and a deletion. Nil also where ``isTruncated``.
  public let old: Row?
  /// The columns that an update has changed, in the table's order, among those that are sent.
  public let changed: [String]
  /// The transaction's number, as `pg_current_xact_id()` gives it. ``TransactionSnapshot`` says whether a reader has seen it.
  public let transaction: UInt64
  /// Where the watch has a condition, and this update changed whether the row meets it.
  public let condition: RowCondition?
  /// The row was too long for a message, which has at most 1 MiB: read it by its key.
  public let isTruncated: Bool
  /// Where ``isTruncated``: the columns of the watch's key and the primary key of ``new``, as text. Null ones are left out.
  public let newKey: [String: String]
  /// Where ``isTruncated``: the same of ``old``.
  public let oldKey: [String: String]
}

/// What happened to a row.
public enum RowAction: String, Sendable, Hashable {
  case insert = "INSERT"
  case update = "UPDATE"
  case delete = "DELETE"
  /// All rows of the table are gone.
  case truncate = "TRUNCATE"
}

/// What an update did to a row regarding the condition of a watch.
public enum RowCondition: String, Sendable, Hashable {
  /// The row meets it now, and did not before.
  case entered
  /// The row does not meet it any longer. Nothing more is told of it.
  case left
}

extension RowChange: Equatable where Row: Equatable {}
