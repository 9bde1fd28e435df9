//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import FoundationEssentials

/// What a client may send: an object with these fields and no others.
protocol Input: Decodable {
  associatedtype CodingKeys: CodingKey, CaseIterable
}

extension Request {
  /// The body, decoded.
  ///
  /// - Throws: ``RequestError``, with 400 for what is no JSON object and 422 for a field that is missing, unknown or of another
  ///   type, which it names.
  func input<Value: Input>(_ type: Value.Type = Value.self) throws -> Value {
    let fields = Value.CodingKeys.allCases.map(\.stringValue).joined(separator: ", ")
    guard !http.body.isEmpty else {
      throw RequestError(
        .badRequest, "no_data", "There is no data. Send an object with some of the fields \(fields).")
    }
    do {
      return try JSONDecoder().decode(Checked<Value>.self, from: Data(http.body)).value
    } catch let error as DecodingError {
      throw RequestError(error, fields: fields)
    }
  }
}

/// An input whose fields are all known.
struct Checked<Value: Input>: Decodable {
  let value: Value

  init(from decoder: any Decoder) throws {
    for key in try decoder.container(keyedBy: AnyKey.self).allKeys {
      guard Value.CodingKeys(stringValue: key.stringValue) == nil else { continue }
      let known = Value.CodingKeys.allCases.map(\.stringValue).joined(separator: ", ")
      throw RequestError(
        .unprocessableContent, "unknown_field",
        "\(FieldPath(decoder.codingPath + [key])) is unknown here. Known are: \(known).")
    }
    value = try Value(from: decoder)
  }
}

private struct AnyKey: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// A place in the data, such as `"addresses.0.id"`.
private struct FieldPath: CustomStringConvertible {
  let description: String

  init(_ keys: [any CodingKey]) {
    let path = keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    description = path.isEmpty ? "The data" : "\"\(path.prefix(100))\""
  }
}

extension RequestError {
  fileprivate init(_ error: DecodingError, fields: String) {
    switch error {
    case .keyNotFound(let key, let context):
      self.init(.unprocessableContent, "missing_field", "\(FieldPath(context.codingPath + [key])) is missing.")
    case .typeMismatch(let type, let context):
      self.init(context, "must be \(Self.name(of: type)).", fields)
    case .valueNotFound(let type, let context):
      self.init(context, "is null. It must be \(Self.name(of: type)).", fields)
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      self.init(.badRequest, "invalid_json", "The data is not JSON.")
    case .dataCorrupted(let context):
      self.init(context, "is out of range.", fields)
    @unknown default:
      self.init(.badRequest, "invalid_json", "The data can't be read.")
    }
  }

  private init(_ context: DecodingError.Context, _ fault: String, _ fields: String) {
    if context.codingPath.isEmpty {
      self.init(.badRequest, "not_an_object", "The data must be an object with some of the fields \(fields).")
    } else {
      self.init(.unprocessableContent, "invalid_field", "\(FieldPath(context.codingPath)) \(fault)")
    }
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Int.Type: "a whole number"
    case is any Collection.Type where "\(type)".hasPrefix("Array"): "a list"
    default: "an object"
    }
  }
}
