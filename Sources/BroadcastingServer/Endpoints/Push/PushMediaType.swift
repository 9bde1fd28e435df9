//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// What a push can be, by its Content-Type (RFC 9110 section 8.3).
enum PushMediaType {
  case json, text, binary

  /// - Throws: ``RequestError`` with 415, and with 400 for several fields, of which two readers could take different ones.
  init(of request: HTTPRequest) throws(RequestError) {
    let fields = request.headers.values(of: "Content-Type")
    guard fields.count <= 1 else {
      throw RequestError(.badRequest, "malformed", "There must be one Content-Type field; there are \(fields.count).")
    }
    let field = fields.first ?? ""
    if Self.names(field, "application/json") {
      self = .json
    } else if Self.names(field, "text/plain") {
      self = .text
    } else if Self.names(field, "application/octet-stream") {
      self = .binary
    } else {
      let what =
        field.isEmpty ? "The request has no Content-Type." : "The Content-Type \(field.prefix(100)) is not taken."
      throw RequestError(
        .unsupportedMediaType, "unsupported_media_type",
        """
        \(what) Send application/json with {"channel": "events", "message": …}, or text/plain or \
        application/octet-stream with ?channel= and the message as the body.
        """)
    }
  }

  /// Whether a field names a type, in capitals or not. Its parameters do not matter: JSON and text are UTF-8, and what is
  /// not is refused.
  private static func names(_ field: String, _ type: StaticString) -> Bool {
    type.withUTF8Buffer { type in
      var field = field.utf8[...]
      let start = field.prefix(type.count)
      guard start.count == type.count, zip(start, type).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { return false }
      field = field.dropFirst(type.count)
      let next = field.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
      return next == nil || next == UInt8(ascii: ";")
    }
  }
}
