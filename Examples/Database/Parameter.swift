//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import FoundationEssentials

/// A value for `$1`, `$2`, … in a statement. It goes beside the statement, as text, and never into it.
///
/// Literals will do: `query("… WHERE id = $1 AND done = $2", [7, true])`. What type it is the database finds out from where it
/// stands; where it can't, a cast says so: `$1::numeric`.
public struct Parameter: Sendable, Hashable {
  /// As PostgreSQL writes a value of the type; nil is NULL.
  public let text: String?

  /// A value in PostgreSQL's own text form.
  public init(_ text: String?) { self.text = text }
  public init(_ number: (some FixedWidthInteger)?) { text = number.map { "\($0)" } }
  /// With all digits; "inf" and "nan" are what PostgreSQL reads too.
  public init(_ number: Double?) { text = number.map { "\($0)" } }
  public init(_ number: Decimal?) { text = number.map { "\($0)" } }
  public init(_ flag: Bool?) { text = flag.map { $0 ? "true" : "false" } }
  public init(_ id: UUID?) { text = id.map { $0.uuidString.lowercased() } }

  /// Bytes, for a column of the type `bytea`.
  public init(bytes: some Sequence<UInt8>) {
    let digits = Array("0123456789abcdef".unicodeScalars)
    var hex = String.UnicodeScalarView("\\x".unicodeScalars)
    for byte in bytes {
      hex.append(digits[Int(byte >> 4)])
      hex.append(digits[Int(byte & 15)])
    }
    text = String(hex)
  }

  /// An array, as for `WHERE id = ANY($1)`.
  public init(array: some Sequence<Parameter>) {
    let elements = array.map { element in
      guard let text = element.text else { return "NULL" }
      return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
    text = "{" + elements.joined(separator: ",") + "}"
  }

  /// The JSON of a value, for a column of the type `json` or `jsonb`.
  public init(json value: some Encodable) throws {
    text = String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
  }
}

extension Parameter: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByStringInterpolation
{
  public init(stringLiteral value: String) { self.init(value) }
  public init(integerLiteral value: Int) { self.init(value) }
  public init(floatLiteral value: Double) { self.init(value) }
  public init(booleanLiteral value: Bool) { self.init(value) }
  public init(nilLiteral: ()) { text = nil }
}
