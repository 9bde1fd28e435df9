//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import FoundationEssentials

/// One value of a row, as the type that is asked for: exactly, or not at all.
struct ColumnValue {
  let value: JSONValue
  /// The whole text, for what is nested.
  let source: [UInt8]
  let path: [any CodingKey]

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    // Unwrapped first: a nil could be cast to a type that is optional.
    if let known = try known(type), let value = known as? Value { return value }
    return try Value(from: RowDecoder(self))
  }

  private func known(_ type: any Decodable.Type) throws -> Any? {
    switch type {
    case is String.Type: try text()
    case is Bool.Type: try bool()
    case is Double.Type: try floating(Double.self)
    case is Float.Type: try floating(Float.self)
    case is Decimal.Type: try decimal()
    case is Date.Type: try date()
    case is Data.Type: try data()
    case is URL.Type: try url()
    case let type as any (FixedWidthInteger & Decodable).Type: try integer(type)
    default: nil
    }
  }

  // MARK: Errors

  func mismatch(_ type: Any.Type, _ reason: String) -> DecodingError {
    .typeMismatch(type, .init(codingPath: path, debugDescription: reason))
  }

  private func missing(_ type: Any.Type) -> DecodingError {
    .valueNotFound(type, .init(codingPath: path, debugDescription: "it is null, and \(type) is not optional"))
  }

  private func loss(_ text: String, _ type: Any.Type, _ advice: String = "String takes it as it is") -> DecodingError {
    .dataCorrupted(
      .init(codingPath: path, debugDescription: "\(shown(text)) can't be a \(type) without loss; \(advice)"))
  }

  /// A value may have a megabyte.
  private func shown(_ text: String) -> String {
    let start = text.prefix(60)
    return start.utf8.count < text.utf8.count ? "\"\(start)…\"" : "\"\(text)\""
  }

  private static let brokenAdvice = "it has half of a character, which no text can hold"

  // MARK: Types

  private func text() throws -> String {
    switch value {
    case .null: throw missing(String.self)
    case .bool(let value): value ? "true" : "false"
    case .number(let text), .string(let text): text
    case .brokenString(let text): throw loss(text, String.self, Self.brokenAdvice)
    case .array(_, let place), .object(_, let place): String(decoding: source[place], as: UTF8.self)
    }
  }

  /// The text of a number, which may be a JSON number or text.
  private func scalar(_ type: Any.Type) throws -> String {
    switch value {
    case .null: throw missing(type)
    case .number(let text), .string(let text): return text
    case .brokenString(let text): throw loss(text, type, Self.brokenAdvice)
    case .bool, .array, .object: throw mismatch(type, "it is \(value.kind), and no \(type)")
    }
  }

  private func bool() throws -> Bool {
    switch value {
    case .null: throw missing(Bool.self)
    case .bool(let value): return value
    default: throw mismatch(Bool.self, "it is \(value.kind), and no Bool")
    }
  }

  private func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
    let text = try scalar(type)
    if let number = Integer(text) { return number }
    guard let digits = DecimalDigits(text) else { throw mismatch(type, "\(shown(text)) is no number") }
    guard let whole = digits.wholeNumber, let number = Integer(whole) else { throw loss(text, type) }
    return number
  }

  private func floating<Number: BinaryFloatingPoint & LosslessStringConvertible>(_ type: Number.Type) throws -> Number {
    let text = try scalar(type)
    switch text {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default: break
    }
    guard let digits = DecimalDigits(text), let number = Number(text) else {
      throw mismatch(type, "\(shown(text)) is no number")
    }
    guard digits.stands(for: number) else { throw loss(text, type) }
    return number
  }

  private func decimal() throws -> Decimal {
    let text = try scalar(Decimal.self)
    guard let digits = DecimalDigits(text) else {
      if ["NaN", "Infinity", "-Infinity"].contains(text) { throw loss(text, Decimal.self) }
      throw mismatch(Decimal.self, "\(shown(text)) is no number")
    }
    guard let number = Decimal(string: text), DecimalDigits(number.description) == digits else {
      throw loss(text, Decimal.self, "it has 38 digits, and String takes any")
    }
    return number
  }

  private func date() throws -> Date {
    let text = try scalar(Date.self)
    if ["infinity", "-infinity"].contains(text) { throw loss(text, Date.self) }
    let timestamp: Timestamp
    do throws(Timestamp.Failure) { timestamp = try Timestamp(text) } catch {
      switch error {
      case .malformed: throw mismatch(Date.self, "\(shown(text)) is no time")
      case .withoutZone:
        throw loss(
          text, Date.self, "it has no time zone, so it is no moment: make the column a timestamptz, or take a String")
      case .tooFine: throw loss(text, Date.self)
      case .tooFar: throw tooFar(text)
      }
    }
    let seconds = Double(timestamp.microseconds) / 1_000_000
    guard Int64(exactly: (seconds * 1_000_000).rounded()) == timestamp.microseconds else { throw tooFar(text) }
    return Date(timeIntervalSinceReferenceDate: seconds)
  }

  private func tooFar(_ text: String) -> DecodingError {
    loss(text, Date.self, "it is too far away for its microseconds, and String takes them")
  }

  /// Of a `bytea`: `\x` and two hexadecimal digits for each byte.
  private func data() throws -> Data {
    let text = try scalar(Data.self)
    guard text.hasPrefix("\\x"), text.utf8.count.isMultiple(of: 2) else {
      throw mismatch(Data.self, "\(shown(text)) is no bytea")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    var high: UInt8?
    for digit in text.utf8.dropFirst(2) {
      guard let half = Character(Unicode.Scalar(digit)).hexDigitValue else {
        throw mismatch(Data.self, "\(shown(text)) is no bytea")
      }
      if let first = high.take() { bytes.append(first << 4 | UInt8(half)) } else { high = UInt8(half) }
    }
    return Data(bytes)
  }

  private func url() throws -> URL {
    let text = try scalar(URL.self)
    guard let url = URL(string: text) else { throw mismatch(URL.self, "\(shown(text)) is no URL") }
    return url
  }
}
