//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting

/// That a database tells each change of a table's rows on a channel, until that is removed.
///
/// A trigger does it, inside the transaction that changes the rows: changes come in the order of the commits, and what is
/// rolled back is never told. See <doc:RowChanges>.
public struct RowWatch: Sendable, Hashable {
  /// The most bytes that the channel's name may have where there is a ``key``.
  public static let maximumChannelBytesWithKey = 180

  /// As SQL has it: `orders`, `shop.orders`, `"Order lines"`. Without quotes it is in lower case for PostgreSQL, and without a
  /// schema it is the first in the search path.
  public let table: String
  public let channel: Channel
  /// The columns that are sent, and without which an update is not told. Nil: all.
  public let columns: [String]?
  /// SQL over the columns of a row, such as `price > 10 AND status = 'paid'`. Only changes of rows that meet it before or
  /// after are told.
  ///
  /// It is SQL, so make it of nothing that a stranger gave. It runs with the rights of whoever writes to the table, and an
  /// error in it is an error of that statement. Functions and operators that are not the system's need their schema before
  /// them.
  public let condition: String?
  /// The columns whose values make the channel of a change. See ``channel(ofKey:)``. Nil: all are told on ``channel``.
  public let key: [String]?

  /// - Throws: ``/Broadcasting/BroadcastError/Code/invalidChannel`` for a channel that can't be, and
  ///   ``/Broadcasting/BroadcastError/Code/refused`` for what SQL can't hold.
  public init(
    table: String, channel: Channel, columns: [String]? = nil, condition: String? = nil, key: [String]? = nil
  ) throws(BroadcastError) {
    try channel.validate()
    guard key == nil || channel.name.utf8.count <= Self.maximumChannelBytesWithKey else {
      throw BroadcastError(
        .invalidChannel,
        "With a key the channel's name can have at most \(Self.maximumChannelBytesWithKey) bytes of UTF-8.")
    }
    let words = [table] + (columns ?? []) + (key ?? []) + [condition].compactMap { $0 }
    guard words.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(0) }), columns?.isEmpty != true, key?.isEmpty != true
    else {
      throw BroadcastError(
        .refused,
        "A table, a column and a condition can neither be empty nor hold the character NUL; nil is for none, and for all columns."
      )
    }
    self.table = table
    self.channel = channel
    self.columns = columns
    self.condition = condition
    self.key = key
  }

  /// The statement that begins it, for a migration of yours: behind ``PostgresBroadcast/migration``, and by the table's owner.
  ///
  /// Again with the same channel it replaces what is there. It waits for transactions that have written to the table.
  public var sql: String {
    let list = [
      Self.relation(table), Self.literal(channel.name), "columns => \(Self.array(columns))",
      "condition => \(condition.map(Self.literal) ?? "NULL")", "key => \(Self.array(key))",
    ]
    return "SELECT broadcast.watch(\(list.joined(separator: ", ")));"
  }

  /// The statement that ends it. Nothing of it remains in the table; it can be run again.
  public var removalSQL: String { Self.removalSQL(table: table, channel: channel) }

  static func removalSQL(table: String, channel: Channel) -> String {
    "SELECT broadcast.unwatch(\(relation(table)), \(literal(channel.name)));"
  }

  /// The channel for one key: ``channel``, a colon, and the values with commas between them.
  ///
  /// - Parameter values: As `RowChange` has them when they are read as `String`, in the order of ``key``. A comma and a percent
  ///   sign are written `%2C` and `%25`, nil is `%0`. Where the name would have more than 255 bytes, `%sha256-` and the digest
  ///   of the values in hexadecimal digits take their place.
  public func channel(ofKey values: [String?]) -> Channel {
    let key = values.map { $0.map(Self.escaped) ?? "%0" }.joined(separator: ",")
    let name = "\(channel.name):\(key)"
    if name.utf8.count <= Channel.maximumBytes { return Channel(name) }
    return Channel("\(channel.name):%sha256-\(Digest.hexadecimal(of: Array(key.utf8)))")
  }

  private static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "%": text += "%25"
      case ",": text += "%2C"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  // MARK: SQL

  private static func relation(_ table: String) -> String { "\(literal(table))::pg_catalog.regclass" }

  private static func array(_ words: [String]?) -> String {
    guard let words else { return "NULL" }
    return "ARRAY[\(words.map(literal).joined(separator: ", "))]::pg_catalog.text[]"
  }

  /// The same whatever `standard_conforming_strings` is.
  static func literal(_ text: String) -> String {
    var quoted: [UInt8] = []
    for byte in text.utf8 {
      if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\\") { quoted.append(byte) }
      quoted.append(byte)
    }
    let isEscaped = text.utf8.contains(UInt8(ascii: "\\"))
    return "\(isEscaped ? "E" : "")'\(String(decoding: quoted, as: UTF8.self))'"
  }
}
