//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Reading a container member by member.
extension JSONScanner {
  /// Whether the bytes are one JSON text.
  package static func isText(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var scanner = JSONScanner(bytes)
    do throws(JSONError) {
      try scanner.refuseByteOrderMark()
      scanner.skipWhitespace()
      try scanner.skipValue()
      try scanner.finish()
      return true
    } catch {
      return false
    }
  }

  /// The text of a JSON string that a scanner has gone over already, with its quotes.
  package static func text(ofString bytes: UnsafeBufferPointer<UInt8>) -> String {
    var scanner = JSONScanner(bytes)
    guard let string = try? scanner.skipString() else { return "" }
    return scanner.text(of: string)
  }

  /// Steps over an object, which has to begin at the position.
  ///
  /// - Parameter member: gets each name, for ``text(of:)`` of the scanner it is given, and where the value's text lies.
  package mutating func readObject(
    _ member: (JSONScanner, JSONString, Range<Int>) throws(JSONError) -> Void
  ) throws(JSONError) {
    try open(.object)
    skipWhitespace()
    if next != .closeBrace {
      repeat {
        skipWhitespace()
        let name = try skipName()
        try member(self, name, skipElement())
      } while take(.comma)
    }
    guard next == .closeBrace else { throw unexpected("',' or '}'") }
    close()
  }

  /// Steps over an array, which has to begin at the position.
  ///
  /// - Parameter element: gets where the text of each element lies.
  package mutating func readArray(_ element: (Range<Int>) throws(JSONError) -> Void) throws(JSONError) {
    try open(.array)
    skipWhitespace()
    if next != .closeBracket {
      repeat {
        skipWhitespace()
        try element(skipElement())
      } while take(.comma)
    }
    guard next == .closeBracket else { throw unexpected("',' or ']'") }
    close()
  }

  private mutating func skipElement() throws(JSONError) -> Range<Int> {
    let start = position
    try skipValue()
    defer { skipWhitespace() }
    return start..<position
  }
}
