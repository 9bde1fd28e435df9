//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Gives the columns of a row to a `Decodable` type, by their names.
struct RowDecoder: Decoder {
  let row: Row
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(RowContainer(row: row))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw noStruct("an array") }
  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    guard row.columns.count == 1 else { throw noStruct("a single value") }
    return ColumnDecoder(column: row.columns[0], text: row.values[0], codingPath: [])
  }

  private func noStruct(_ what: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: [], debugDescription: "a row of \(row.columns.count) columns is not \(what)."))
  }
}

private struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let row: Row
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { row.columns.compactMap { Key(stringValue: $0.name) } }

  func contains(_ key: Key) -> Bool { row.columns.contains { $0.name == key.stringValue } }
  func decodeNil(forKey key: Key) throws -> Bool { try column(key).text == nil }

  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try column(key).value(type) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try column(key).value(type) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try column(key).value(type) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try column(key).value(type) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try column(key).value(type) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try column(key).value(type) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try column(key).value(type) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try column(key).value(type) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try column(key).value(type) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try column(key).value(type) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try column(key).value(type) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try column(key).value(type) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try column(key).value(type) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try column(key).value(type) }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try column(key).value(type) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    throw nested(key)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw nested(key) }
  func superDecoder() throws -> any Decoder { RowDecoder(row: row) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try column(key) }

  private func nested(_ key: Key) -> DecodingError {
    .dataCorrupted(.init(codingPath: [key], debugDescription: "a column is decoded as a whole."))
  }

  private func column(_ key: Key) throws -> ColumnDecoder {
    guard let index = row.columns.firstIndex(where: { $0.name == key.stringValue }) else {
      throw DecodingError.keyNotFound(key, .init(codingPath: [], debugDescription: "there is no such column."))
    }
    return ColumnDecoder(column: row.columns[index], text: row.values[index], codingPath: [key])
  }
}
