//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A JSON text, with numbers as they are written (RFC 8259). Foundation's parser would make a `Double` of them, and lose digits.
indirect enum JSONValue: Sendable {
  case null
  case bool(Bool)
  /// As it stands there.
  case number(String)
  case string(String)
  /// Text with half of a pair of surrogates, which JSON may hold and Unicode has no character for: with U+FFFD in its place.
  case brokenString(String)
  /// With where it stands in the text.
  case array([JSONValue], Range<Int>)
  /// With where it stands in the text. Of equal names the last one counts.
  case object([String: JSONValue], Range<Int>)

  /// What it is, for an error.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string, .brokenString: "text"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// Why a text is no JSON.
struct JSONFailure: Error {
  /// In bytes.
  let offset: Int
  let reason: String
}
