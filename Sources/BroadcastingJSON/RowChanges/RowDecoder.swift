//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Decodes a row, or what is nested in one.
struct RowDecoder: Decoder {
  private let column: ColumnValue

  init(_ column: ColumnValue) { self.column = column }

  var codingPath: [any CodingKey] { column.path }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object(let members, _) = column.value else {
      throw column.mismatch([String: Any].self, "it is \(column.value.kind), and no object")
    }
    return KeyedDecodingContainer(Members<Key>(members: members, column: column))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let elements, _) = column.value else {
      throw column.mismatch([Any].self, "it is \(column.value.kind), and no array")
    }
    return Elements(elements: elements, column: column)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { Single(column: column) }
}

private struct Single: SingleValueDecodingContainer {
  let column: ColumnValue

  var codingPath: [any CodingKey] { column.path }

  func decodeNil() -> Bool { if case .null = column.value { true } else { false } }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try column.decode(type) }
}

private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let members: [String: JSONValue]
  let column: ColumnValue

  var codingPath: [any CodingKey] { column.path }
  var allKeys: [Key] { members.keys.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }

  private func member(_ key: Key) throws -> ColumnValue {
    guard let value = members[key.stringValue] else {
      throw DecodingError.keyNotFound(
        key,
        .init(
          codingPath: codingPath + [key], debugDescription: "it is not there; is it among the columns that are sent?"))
    }
    return ColumnValue(value: value, source: column.source, path: codingPath + [key])
  }

  func decodeNil(forKey key: Key) throws -> Bool { Single(column: try member(key)).decodeNil() }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try member(key).decode(type)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> { try RowDecoder(try member(key)).container(keyedBy: type) }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try RowDecoder(try member(key)).unkeyedContainer()
  }

  func superDecoder() -> any Decoder { RowDecoder(column) }

  func superDecoder(forKey key: Key) throws -> any Decoder { RowDecoder(try member(key)) }
}

private struct Elements: UnkeyedDecodingContainer {
  let elements: [JSONValue]
  let column: ColumnValue
  private(set) var currentIndex = 0

  init(elements: [JSONValue], column: ColumnValue) {
    self.elements = elements
    self.column = column
  }

  var codingPath: [any CodingKey] { column.path }
  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  private func element() throws -> ColumnValue {
    let path = codingPath + [Place(intValue: currentIndex)]
    guard !isAtEnd else {
      throw DecodingError.valueNotFound(
        Any.self, .init(codingPath: path, debugDescription: "the array has only \(elements.count) elements"))
    }
    return ColumnValue(value: elements[currentIndex], source: column.source, path: path)
  }

  mutating func decodeNil() throws -> Bool {
    let isNil = Single(column: try element()).decodeNil()
    if isNil { currentIndex += 1 }
    return isNil
  }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let value = try element().decode(type)
    currentIndex += 1
    return value
  }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    try superDecoder().container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try superDecoder().unkeyedContainer()
  }

  mutating func superDecoder() throws -> any Decoder {
    let decoder = RowDecoder(try element())
    currentIndex += 1
    return decoder
  }
}

/// An element of an array.
private struct Place: CodingKey {
  let index: Int

  init(intValue: Int) { index = intValue }
  init?(stringValue: String) { return nil }

  var stringValue: String { "\(index)" }
  var intValue: Int? { index }
}
