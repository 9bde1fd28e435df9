//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import Foundation

/// What a client says of a todo. What it leaves out stays as it is.
struct TodoInput: Decodable, Sendable {
  /// In characters, as the table's column has it.
  static let longestTitle = 512

  var title: String?
  var completed: Bool?

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    // A client may send back a todo as it got it. The id and the time stay what they are.
    let names = ["title", "completed", "id", "created_time"]
    if let other = container.allKeys.map(\.stringValue).sorted().first(where: { !names.contains($0) }) {
      throw RequestError(
        .badRequest, "unknown_field", "A todo has no \"\(other.prefix(40))\" to be set, only title and completed.")
    }
    title = try container.decodeIfPresent(String.self, forKey: Name(stringValue: "title")).map(Self.checked)
    completed = try container.decodeIfPresent(Bool.self, forKey: Name(stringValue: "completed"))
  }

  /// Reads the body of a request.
  ///
  /// - Throws: ``RequestError`` with 400, which says what is wrong.
  init(_ request: Request) throws {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(request.http.body))
    } catch let error as RequestError {
      throw error
    } catch DecodingError.typeMismatch(_, let context) {
      let name = context.codingPath.last?.stringValue
      throw RequestError(
        .badRequest, "wrong_type",
        name.map { "\($0) has to be \($0 == "title" ? "a text" : "true or false")." }
          ?? "The body has to be a JSON object.")
    } catch {
      throw RequestError(.badRequest, "malformed_json", "The body is no JSON.")
    }
  }

  private static func checked(_ text: String) throws -> String {
    let title = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !title.isEmpty else {
      throw RequestError(.badRequest, "empty_title", "The title is empty. Say what is to be done.")
    }
    guard title.unicodeScalars.count <= longestTitle else {
      throw RequestError(
        .badRequest, "title_too_long",
        "The title has \(title.unicodeScalars.count) characters, and \(longestTitle) are the most.")
    }
    guard !title.unicodeScalars.contains("\0") else {
      throw RequestError(.badRequest, "invalid_title", "The title has the character U+0000, which no text may have.")
    }
    return title
  }
}
