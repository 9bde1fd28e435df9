//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a client is told of something that it may not do: a short name for programs, and a text for people.
struct Refusal: Error, Equatable {
  var code: String
  var message: String
  /// After how many milliseconds the same would be taken.
  var retryAfter: Int?

  init(_ code: String, _ message: String, retryAfter: Int? = nil) {
    self.code = code
    self.message = message
    self.retryAfter = retryAfter
  }
}

/// What rooms and people may be called, and what may be said. Lengths are counted in Unicode scalars, since one visible
/// character may be made of any number of them.
enum Rules {
  static let roomLength = 1...32
  static let nameLength = 1...32
  static let textLength = 1...2_000
  /// Ids are chosen by clients: of a person (a tab of a browser), and of a message.
  static let idLength = 8...36

  /// A name of a room: small letters, digits and hyphens.
  static func room(_ text: String) throws(Refusal) -> String {
    guard roomLength.contains(text.utf8.count), text.utf8.allSatisfy(isPlain) else {
      throw Refusal("invalid_room", "A room's name has 1 to 32 small letters (a to z), digits or hyphens.")
    }
    return text
  }

  /// An id: as a room's name, but of another length. A UUID in small letters is one.
  static func id(_ text: String?) throws(Refusal) -> String {
    guard let text, idLength.contains(text.utf8.count), text.utf8.allSatisfy(isPlain) else {
      throw Refusal("invalid_id", "An id has 8 to 36 small letters (a to z), digits or hyphens. Choose it at random.")
    }
    return text
  }

  /// A person's name, without the white space around it.
  static func name(_ text: String?) throws(Refusal) -> String {
    let name = trimmed(text ?? "")
    guard nameLength.contains(name.unicodeScalars.count), name.unicodeScalars.contains(where: isVisible) else {
      throw Refusal("invalid_name", "A name has 1 to 32 characters.")
    }
    // What changes the direction of the text behind it would put the name elsewhere than it belongs.
    guard name.unicodeScalars.allSatisfy({ isVisible($0) || $0 == " " || $0.properties.isJoinControl }) else {
      throw Refusal("invalid_name", "A name has no line breaks, control characters or invisible ones.")
    }
    return name
  }

  /// What somebody says, without the white space around it.
  static func text(_ text: String?) throws(Refusal) -> String {
    let text = trimmed(text ?? "")
    guard textLength.contains(text.unicodeScalars.count) else {
      throw Refusal("invalid_text", "A message has 1 to 2,000 characters; this one has \(text.unicodeScalars.count).")
    }
    guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control || $0 == "\n" || $0 == "\t" })
    else { throw Refusal("invalid_text", "A message has no control characters but line feeds and tabs.") }
    return text
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
    default: false
    }
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: false
    default: true
    }
  }

  private static func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[first...last])
  }
}
