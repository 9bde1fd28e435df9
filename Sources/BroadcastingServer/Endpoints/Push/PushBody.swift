//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// What the body of `POST /push` says: `{"channel": "events", "message": <any JSON>}`.
package struct PushBody: Hashable, Sendable {
  /// Where a push without `channel` goes.
  package static let defaultChannel = "events"

  /// The channel's name, escapes resolved. Whether it may be one is not looked at here.
  package let channel: String
  /// Where in the body the JSON text of `message` lies, without white space round it. It is what subscribers get.
  package let message: Range<Int>

  /// Reads a body. All of it has to be valid JSON; an unknown field, or one that stands there twice, is refused.
  /// Inside the message any JSON goes.
  package init(parsing body: [UInt8]) throws(PushError) {
    let fields: PushFields
    do throws(JSONError) {
      fields = try body.withUnsafeBufferPointer { bytes throws(JSONError) in
        var fields = PushFields(scanner: JSONScanner(bytes))
        try fields.read()
        return fields
      }
    } catch {
      throw PushError(error)
    }
    if let refusal = fields.refusal { throw refusal }
    guard let message = fields.message else {
      throw PushError(.missingField, "a push needs \"message\": any JSON value", at: body.count)
    }
    self.channel = fields.channel ?? Self.defaultChannel
    self.message = message
  }
}

/// The reading itself. What is no JSON is thrown; what is JSON but no push ends the reading with a refusal.
private struct PushFields {
  private var scanner: JSONScanner
  private(set) var channel: String?
  private(set) var message: Range<Int>?
  private(set) var refusal: PushError?

  init(scanner: JSONScanner) { self.scanner = scanner }

  mutating func read() throws(JSONError) {
    try scanner.refuseByteOrderMark()
    scanner.skipWhitespace()
    guard scanner.next == .openBrace else {
      let start = scanner.position
      try scanner.skipValue()
      refusal = PushError(.notAnObject, "a push is an object: {\"channel\": \"events\", \"message\": …}", at: start)
      return
    }
    try scanner.open(.object)
    scanner.skipWhitespace()
    if scanner.next != .closeBrace {
      repeat {
        scanner.skipWhitespace()
        try readField()
        if refusal != nil { return }
        scanner.skipWhitespace()
      } while scanner.take(.comma)
    }
    guard scanner.next == .closeBrace else { throw scanner.unexpected("',' or '}'") }
    scanner.close()
    try scanner.finish()
  }

  private mutating func readField() throws(JSONError) {
    let start = scanner.position
    let name = try scanner.skipName()
    if scanner.string(name, is: "message") {
      guard message == nil else { return refuseDuplicate("message", at: start) }
      let valueStart = scanner.position
      try scanner.skipValue()
      message = valueStart..<scanner.position
    } else if scanner.string(name, is: "channel") {
      guard channel == nil else { return refuseDuplicate("channel", at: start) }
      guard scanner.next == .quote else {
        let valueStart = scanner.position
        try scanner.skipValue()
        refusal = PushError(.wrongType, "\"channel\" must be a string", at: valueStart)
        return
      }
      channel = scanner.text(of: try scanner.skipString())
    } else {
      let shown = scanner.text(of: name).prefix(64)
      refusal = PushError(
        .unknownField, "unknown field \"\(shown)\"; a push has \"channel\" and \"message\"", at: start)
    }
  }

  private mutating func refuseDuplicate(_ name: String, at offset: Int) {
    refusal = PushError(.duplicateField, "\"\(name)\" stands there twice", at: offset)
  }
}
