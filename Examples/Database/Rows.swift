//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CPostgres

/// What a statement gave: rows, each with the texts of its columns.
public struct Rows: Sendable, RandomAccessCollection {
  public struct Column: Sendable, Hashable {
    public let name: String
    /// The number of its type, as in the table `pg_type`.
    let type: UInt32

    /// `json` and `jsonb`.
    var isJSON: Bool { type == 114 || type == 3802 }
    /// `real` and `double precision`.
    var isFloat: Bool { type == 700 || type == 701 }
  }

  public private(set) var columns: [Column] = []
  /// How many rows a statement without a result has inserted, updated or deleted.
  public private(set) var affected = 0
  /// The server's word for what was done, such as `INSERT 0 1`.
  private(set) var command = ""
  private var rows: [[String?]] = []
  private var bytes = 0

  public var startIndex: Int { 0 }
  public var endIndex: Int { rows.count }
  public subscript(index: Int) -> Row { Row(columns: columns, values: rows[index]) }

  /// Adds the rows of a result, and says whether all of them fit.
  mutating func append(_ result: OpaquePointer, limit: Int) -> Bool {
    if rows.isEmpty {
      columns = (0..<PQnfields(result)).map { column in
        Column(name: PQfname(result, column).map { String(cString: $0) } ?? "", type: PQftype(result, column))
      }
    }
    for row in 0..<PQntuples(result) {
      // Roughly what the array itself holds for each value.
      bytes += columns.count * 16
      for column in 0..<PQnfields(result) { bytes += Int(PQgetlength(result, row, column)) }
      if bytes > limit { return false }
      rows.append(
        (0..<PQnfields(result)).map { column in
          PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
        })
    }
    finish(result)
    return true
  }

  mutating func finish(_ result: OpaquePointer) {
    command = PQcmdStatus(result).map { String(cString: $0) } ?? ""
    affected = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
  }

  /// All rows as values of a type.
  ///
  /// - Throws: ``DatabaseError/Code/undecodable``, with the row and the column.
  public func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws(DatabaseError) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(count)
    for row in self { values.append(try row.decoded()) }
    return values
  }
}

/// The values of one row, as PostgreSQL writes them: exact, whatever the type.
public struct Row: Sendable {
  public let columns: [Rows.Column]
  /// In the order of the columns. Nil is NULL.
  public let values: [String?]

  /// The text of a column; nil when it is NULL, or there is none of that name.
  public subscript(name: String) -> String? {
    columns.firstIndex { $0.name == name }.flatMap { values[$0] }
  }

  /// The row as a value of a type, by the names of its columns. A type that is no struct, such as `Int`, gets the only column.
  ///
  /// A `String` takes a value of any type as PostgreSQL writes it; a number and a `Bool` only one that it can hold exactly; any
  /// other `Decodable` value a column of the type `json`, or what it decodes from a `String`.
  ///
  /// - Throws: ``DatabaseError/Code/undecodable``.
  public func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws(DatabaseError) -> Value {
    do {
      if columns.count == 1, let value = try scalar(Value.self) { return value }
      return try Value(from: RowDecoder(row: self))
    } catch {
      throw DatabaseError(.undecodable, "A row is no \(Value.self): \(Self.explain(error))")
    }
  }

  private func scalar<Value: Decodable>(_ type: Value.Type) throws -> Value? {
    guard type is any LosslessStringConvertible.Type else { return nil }
    return try ColumnDecoder(column: columns[0], text: values[0], codingPath: []).value(type)
  }

  private static func explain(_ error: any Error) -> String {
    func path(_ context: DecodingError.Context) -> String {
      context.codingPath.map(\.stringValue).joined(separator: ".")
    }
    return switch error {
    case DecodingError.keyNotFound(let key, _): "there is no column \(key.stringValue)."
    case DecodingError.valueNotFound(_, let context): "\(path(context)) is NULL."
    case DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context):
      "\(path(context)): \(context.debugDescription)"
    default: "\(error)"
    }
  }
}
