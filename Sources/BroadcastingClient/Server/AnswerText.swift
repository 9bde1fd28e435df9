//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// What the JSON of a server's answers says.
enum AnswerText {
  /// A server's words go into logs and onto terminals.
  static let longest = 500

  /// The code and the message of `{"error": {"code": …, "message": …}}`, or nil for anything else.
  static func error(_ body: [UInt8]) -> (code: String, message: String)? {
    body.withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes)
      var code: String?
      var message: String?
      do throws(JSONError) {
        try scanner.readMembers { scanner, name throws(JSONError) in
          guard scanner.string(name, is: "error"), scanner.next == .openBrace else { return try scanner.skipValue() }
          try scanner.readMembers { scanner, name throws(JSONError) in
            guard scanner.next == .quote else { return try scanner.skipValue() }
            let value = try scanner.skipString()
            if scanner.string(name, is: "code") { code = clean(scanner.text(of: value)) }
            if scanner.string(name, is: "message") { message = clean(scanner.text(of: value)) }
          }
        }
      } catch {
        return nil
      }
      guard let code, let message else { return nil }
      return (code, message)
    }
  }

  /// Whether it is an object that begins with `"channel"` and this name: what a push that was taken is answered with.
  static func confirms(_ body: [UInt8], _ channel: String) -> Bool {
    body.withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes)
      do throws(JSONError) {
        scanner.skipWhitespace()
        guard scanner.next == .openBrace else { return false }
        try scanner.open(.object)
        scanner.skipWhitespace()
        guard scanner.string(try scanner.skipName(), is: "channel") else { return false }
        return scanner.text(of: try scanner.skipString()).utf8.elementsEqual(channel.utf8)
      } catch {
        return false
      }
    }
  }

  /// The `"position"` of what a push is answered with, nil where it says none.
  static func position(_ body: [UInt8]) -> MessagePosition? {
    body.withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes)
      var position: MessagePosition?
      do throws(JSONError) {
        try scanner.readMembers { scanner, name throws(JSONError) in
          guard scanner.string(name, is: "position"), scanner.next == .quote else { return try scanner.skipValue() }
          position = MessagePosition(scanner.text(of: try scanner.skipString()))
        }
      } catch {
        return nil
      }
      return position
    }
  }

  /// Without what could end a line or steer a terminal.
  static func clean(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(longest).map { scalar in
      scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format ? " " : scalar
    }
    return String(String.UnicodeScalarView(scalars))
  }
}

extension JSONScanner {
  /// Reads an object: `member` is given each name, and has to step over its value.
  mutating func readMembers(
    _ member: (inout JSONScanner, JSONString) throws(JSONError) -> Void
  ) throws(JSONError) {
    skipWhitespace()
    guard next == .openBrace else { throw unexpected("an object") }
    try open(.object)
    skipWhitespace()
    if next != .closeBrace {
      repeat {
        skipWhitespace()
        let name = try skipName()
        try member(&self, name)
        skipWhitespace()
      } while take(.comma)
    }
    guard next == .closeBrace else { throw unexpected("',' or '}'") }
    close()
  }
}
