//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Writes JSON text.
package enum JSONWriter {
  /// Appends `text` as a JSON string, in its quotes. Escapes what RFC 8259 asks for and nothing else.
  package static func append(_ text: String, to output: inout [UInt8]) {
    var text = text
    text.withUTF8 { append($0, to: &output) }
  }

  /// Appends the UTF-8 in `text` as a JSON string, in its quotes.
  package static func append(_ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
    output.append(.quote)
    var written = 0
    var at = 0
    while true {
      at = EightBytes.skip(text, from: at, to: text.count, until: EightBytes.mustEscape)
      guard at < text.count else { break }
      let byte = text[at]
      if byte < 0x20 || byte == .quote || byte == .backslash {
        output.append(contentsOf: UnsafeBufferPointer(rebasing: text[written..<at]))
        appendEscape(of: byte, to: &output)
        written = at + 1
      }
      at += 1
    }
    output.append(contentsOf: UnsafeBufferPointer(rebasing: text[written...]))
    output.append(.quote)
  }

  private static func appendEscape(of byte: UInt8, to output: inout [UInt8]) {
    output.append(.backslash)
    switch byte {
    case 0x08: output.append(UInt8(ascii: "b"))
    case 0x0c: output.append(UInt8(ascii: "f"))
    case .lineFeed: output.append(UInt8(ascii: "n"))
    case .carriageReturn: output.append(UInt8(ascii: "r"))
    case .tab: output.append(UInt8(ascii: "t"))
    case 0..<0x20:
      output.append(contentsOf: "u00".utf8)
      output.append(.zero + byte >> 4)
      output.append(hexDigits.utf8Start[Int(byte & 15)])
    default: output.append(byte)
    }
  }

  private static let hexDigits: StaticString = "0123456789abcdef"
}
