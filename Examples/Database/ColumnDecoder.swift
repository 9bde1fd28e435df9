//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import FoundationEssentials

/// Gives the text of one column to a `Decodable` type.
struct ColumnDecoder: Decoder, SingleValueDecodingContainer {
  let column: Rows.Column
  let text: String?
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
    switch type {
    case is String.Type: return try cast(present(type))
    case is Bool.Type: return try cast(flag())
    case is Decimal.Type: return try cast(decimal())
    case is Double.Type: return try cast(double())
    case let number as any FixedWidthInteger.Type: return try cast(integer(number))
    case is Date.Type:
      throw mismatch(type, "select a timestamp as text, or as extract(epoch FROM …)::float8, for a String or a Double.")
    case is any OptionalValue.Type: return try Value(from: self)
    default:
      guard column.isJSON, let text else { return try Value(from: self) }
      return try JSONDecoder().decode(type, from: Data(text.utf8))
    }
  }

  // MARK: Values that keep all of the text

  private func present(_ type: Any.Type) throws -> String {
    guard let text else {
      throw DecodingError.valueNotFound(type, .init(codingPath: codingPath, debugDescription: "it is NULL."))
    }
    return text
  }

  private func flag() throws -> Bool {
    switch try present(Bool.self) {
    case "t", "true": true
    case "f", "false": false
    default: throw mismatch(Bool.self, "it is no boolean.")
    }
  }

  private func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
    guard let number = Number(try present(type)) else {
      throw mismatch(type, "it is no \(type), or too large for one.")
    }
    return number
  }

  /// NaN and infinity are values of the database's types, and of these.
  private func double() throws -> Double {
    let text = try present(Double.self)
    guard let number = Double(text.lowercased()) else { throw mismatch(Double.self, "it is no number.") }
    // A numeric has as many digits as it likes.
    if number.isFinite, !column.isFloat, Self.significantDigits(text) != Self.significantDigits("\(number)") {
      throw mismatch(Double.self, "it has more digits than a Double; read a String or a Decimal.")
    }
    return number
  }

  /// Those of a number between its first and its last that is no zero, without the exponent.
  private static func significantDigits(_ number: String) -> Substring {
    let digits = number.prefix { $0 != "e" }.filter { $0 != "." && $0 != "-" }.drop { $0 == "0" }
    return digits[..<(digits.lastIndex { $0 != "0" }.map(digits.index(after:)) ?? digits.startIndex)]
  }

  private func decimal() throws -> Decimal {
    let text = try present(Decimal.self)
    let digits = text.filter(\.isNumber).drop { $0 == "0" }.count
    guard digits <= 38, text.allSatisfy({ "-.0123456789".contains($0) }), let number = Decimal(string: text) else {
      throw mismatch(Decimal.self, "it is no number of at most 38 digits; read a String.")
    }
    return number
  }

  private func cast<Value>(_ value: some Any) throws -> Value {
    guard let value = value as? Value else { throw mismatch(Value.self, "it is no \(Value.self).") }
    return value
  }

  private func mismatch(_ type: Any.Type, _ what: String) -> DecodingError {
    .typeMismatch(type, .init(codingPath: codingPath, debugDescription: what))
  }

  // MARK: Decoder

  func singleValueContainer() -> any SingleValueDecodingContainer { self }
  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    throw mismatch(type, "only a column of the type json can be a struct.")
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw mismatch([Any].self, "only a column of the type json can be an array.")
  }

  func decodeNil() -> Bool { text == nil }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try value(type) }
}

/// An `Optional`, which decodes itself by asking for nil first.
private protocol OptionalValue {}
extension Optional: OptionalValue {}
