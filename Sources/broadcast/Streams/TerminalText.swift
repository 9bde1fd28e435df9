//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Text that comes from somewhere else, for a terminal.
///
/// To a terminal control characters are commands: to move, to change its title, on some to type. And a line must stay one
/// line, whose letters stand in the order in which they came.
enum TerminalText {
  /// The text in UTF-8, with control characters (but tabs), marks that end a line and those that change the direction of
  /// writing as JSON writes them in strings: `\n`, `\u001b`.
  static func escape(_ text: [UInt8]) -> [UInt8] {
    if text.allSatisfy({ (0x20...0x7e).contains($0) || $0 == UInt8(ascii: "\t") }) { return text }
    var result: [UInt8] = []
    result.reserveCapacity(text.count + 16)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\t": result.append(UInt8(ascii: "\t"))
      case "\n": result += #"\n"#.utf8
      case "\r": result += #"\r"#.utf8
      case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}"..."\u{202e}", "\u{2066}"..."\u{2069}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
      default: result += UTF8.encode(scalar).map(Array.init) ?? []
      }
    }
    return result
  }

  static func escape(_ text: String) -> String { String(decoding: escape(Array(text.utf8)), as: UTF8.self) }
}
