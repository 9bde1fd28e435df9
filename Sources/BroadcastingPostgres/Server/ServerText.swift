//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What libpq says of an attempt to connect, taken apart.
///
/// It gives no SQLSTATE of its own for that, only text. With its verbosity at `PQERRORS_VERBOSE` the text of a server's answer
/// has it, between the severity and the words: `FATAL:  28P01: password authentication failed for user "me"`.
struct ServerText: Hashable, Sendable {
  let state: SQLState?
  /// One sentence, of at most some 300 characters.
  let reason: String

  private static let maximumCharacters = 300

  init(_ text: String) {
    let lines = text.split(whereSeparator: \.isNewline).map { Self.trim($0) }.filter { !$0.isEmpty }
    // An attempt without encryption may have followed one with it: the last is what counts.
    for line in lines.reversed() {
      guard let (state, words) = Self.answer(in: line) else { continue }
      self.state = state
      reason = Self.sentence(words)
      return
    }
    state = nil
    // "connection to server at … failed: reason", and advice in the next lines.
    let first = lines.first ?? "no reason is given"
    let reason = Self.sentence(first.hasPrefix("connection to server") ? Self.behindFailed(first) : first)
    // Which parameter would help nobody else knows.
    let advice = lines.dropFirst().first { $0.contains("sslmode") || $0.contains("sslrootcert") }
    self.reason = advice.map { "\(reason) \(Self.sentence($0))" } ?? reason
  }

  /// Makes a sentence of a server's words.
  static func sentence(_ words: some StringProtocol) -> String {
    let line = words.split(whereSeparator: \.isNewline).first.map { cleaned($0) } ?? ""
    var text = trim(line.isEmpty ? "no reason is given" : line)
    if text.count > maximumCharacters { text = text.prefix(maximumCharacters) + "…" }
    return text.last.map { ".!?…".contains($0) } == true ? String(text) : text + "."
  }

  /// libpq repeats a byte of who does not speak its protocol, and a terminal would obey it.
  private static func cleaned(_ text: some StringProtocol) -> String {
    var clean = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { clean.append(scalar.properties.generalCategory == .control ? "?" : scalar) }
    return String(clean)
  }

  private static func answer(in line: Substring) -> (SQLState, Substring)? {
    var rest = line
    while let separator = rest.firstRange(ofText: ":  ") {
      rest = rest[separator.upperBound...]
      let code = rest.prefix(5)
      let behind = rest.dropFirst(5)
      if code.count == 5, code.utf8.allSatisfy(isCodeByte), behind.hasPrefix(": ") {
        return (SQLState(String(code)), behind.dropFirst(2))
      }
    }
    return nil
  }

  private static func behindFailed(_ line: Substring) -> Substring {
    line.firstRange(ofText: " failed: ").map { line[$0.upperBound...] } ?? line
  }

  private static func isCodeByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    default: false
    }
  }

  private static func trim(_ text: some StringProtocol) -> Substring {
    var text = Substring(text)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

extension Substring {
  fileprivate func firstRange(ofText text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
