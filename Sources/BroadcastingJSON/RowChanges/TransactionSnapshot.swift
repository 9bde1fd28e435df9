//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting

/// Which transactions what was read has in it, as PostgreSQL's `pg_current_snapshot()` tells (manual, "Transaction ID and
/// Snapshot Information Functions").
///
/// Who reads a table and follows its changes subscribes first, and reads the snapshot in the same statement or transaction as
/// the rows (`REPEATABLE READ`). A change whose transaction is in it has been read already; every other one comes after.
public struct TransactionSnapshot: Sendable, Hashable {
  /// All transactions before this one are over.
  private let start: UInt64
  /// This one and all after it had not begun.
  private let end: UInt64
  /// Those between that were under way.
  private let running: Set<UInt64>

  /// Reads what `SELECT pg_current_snapshot()` gives, such as `10:20:10,14`.
  ///
  /// - Throws: ``BroadcastError/Code/undecodable`` for another text.
  public init(_ text: String) throws(BroadcastError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let list = parts.count == 3 ? parts[2].split(separator: ",", omittingEmptySubsequences: parts[2].isEmpty) : []
    let numbers = list.compactMap { UInt64($0) }
    guard parts.count == 3, let start = UInt64(parts[0]), let end = UInt64(parts[1]), start <= end,
      numbers.count == list.count
    else {
      throw BroadcastError(
        .undecodable,
        "\"\(text.prefix(80))\" is no snapshot; SELECT pg_current_snapshot() gives one, such as 10:20:10,14.")
    }
    self.start = start
    self.end = end
    running = Set(numbers)
  }

  /// Whether what this transaction did is in what was read.
  public func includes(_ transaction: UInt64) -> Bool {
    transaction < start || (transaction < end && !running.contains(transaction))
  }
}
