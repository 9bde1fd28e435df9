//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting

extension Message {
  /// Reads a change of a row.
  ///
  /// `Row` is any `Decodable` with the columns' names for keys. What is sent is exact, and what would lose something is an
  /// error: `String` takes every column that is not null. Integers, `Decimal`, `Double` and `Float` throw for a number that
  /// they can't hold digit by digit, `Decimal` for NaN and infinity, `Date` for infinity, for a time without a zone and for
  /// microseconds that it is too coarse for. `Data` takes a `bytea`.
  ///
  /// - Throws: ``BroadcastError/Code/undecodable`` when it is no such message, or its row is not of the type; the error names
  ///   table and column.
  public func rowChange<Row: Decodable & Sendable>(
    of type: Row.Type = Row.self
  ) throws(BroadcastError) -> RowChange<Row> {
    try RowChangeMessage(self).change(of: type)
  }
}

/// The message of a change, with its rows not yet decoded.
private struct RowChangeMessage {
  private let message: Message
  private let members: [String: JSONValue]

  init(_ message: Message) throws(BroadcastError) {
    self.message = message
    guard message.kind == .text else { throw Self.error(message, "it is binary") }
    let value: JSONValue
    do throws(JSONFailure) { value = try JSONParser.parse(message.payload) } catch {
      throw Self.error(message, "it is no JSON: at byte \(error.offset) \(error.reason)")
    }
    guard case .object(let members, _) = value else { throw Self.error(message, "it is \(value.kind), and no object") }
    self.members = members
  }

  private static func error(_ message: Message, _ reason: String) -> BroadcastError {
    BroadcastError(.undecodable, "A message of \"\(message.channel)\" is no change of a row: \(reason).")
  }

  private func text(_ name: String) throws(BroadcastError) -> String {
    guard case .string(let text) = members[name] else { throw Self.error(message, "\"\(name)\" is missing") }
    return text
  }

  func change<Row: Decodable>(of type: Row.Type) throws(BroadcastError) -> RowChange<Row> {
    let schema = try text("schema")
    let table = try text("table")
    guard let action = RowAction(rawValue: try text("action")) else {
      throw Self.error(message, "its action is \"\(try text("action"))\"")
    }
    guard let transaction = UInt64(try text("transaction")) else {
      throw Self.error(message, "its transaction is no number")
    }
    guard case .array(let list, _) = members["changed"] else { throw Self.error(message, "\"changed\" is missing") }
    let changed = list.compactMap { if case .string(let name) = $0 { name } else { nil } }
    let isTruncated = if case .bool(true) = members["truncated"] { true } else { false }
    let condition: RowCondition? =
      if case .string(let text) = members["condition"] { RowCondition(rawValue: text) } else { nil }
    func row(_ name: String) throws(BroadcastError) -> Row? {
      guard let value = members[name] else { throw Self.error(message, "\"\(name)\" is missing") }
      if case .null = value { return nil }
      if isTruncated { return nil }
      return try decode(value, as: type, of: "\(schema).\(table)")
    }
    return RowChange(
      schema: schema, table: table, action: action, new: try row("new"), old: try row("old"), changed: changed,
      transaction: transaction, condition: condition, isTruncated: isTruncated,
      newKey: isTruncated ? key("new") : [:], oldKey: isTruncated ? key("old") : [:])
  }

  private func key(_ name: String) -> [String: String] {
    guard case .object(let columns, _) = members[name] else { return [:] }
    return columns.compactMapValues {
      try? ColumnValue(value: $0, source: message.payload, path: []).decode(String.self)
    }
  }

  private func decode<Row: Decodable>(_ value: JSONValue, as type: Row.Type, of table: String) throws(BroadcastError)
    -> Row
  {
    do {
      return try ColumnValue(value: value, source: message.payload, path: []).decode(type)
    } catch {
      let place = "in a change of the table \(table) on \"\(message.channel)\""
      guard let error = error as? DecodingError, let context = error.context else {
        throw BroadcastError(.undecodable, "The row \(place) is no \(Row.self): \(error)", underlying: error)
      }
      let column = context.codingPath.map(\.stringValue).joined(separator: ".")
      let what = column.isEmpty ? "The row" : "The column \"\(column)\""
      throw BroadcastError(
        .undecodable, "\(what) \(place) is no \(Row.self): \(context.debugDescription).", underlying: error)
    }
  }
}

extension DecodingError {
  fileprivate var context: Context? {
    switch self {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
      .dataCorrupted(let context):
      context
    @unknown default: nil
    }
  }
}
