//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Base64 with padding, as in RFC 4648, section 4. Strict: no line breaks, no stray bits, one form for each content.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")
  private static let invalid: UInt8 = 0xFF

  private static let values: [UInt8] = {
    var values = [UInt8](repeating: invalid, count: 256)
    for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
    return values
  }()

  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let first = UInt32(bytes[index]) << 16
      let second = left > 1 ? UInt32(bytes[index + 1]) << 8 : 0
      let third = left > 2 ? UInt32(bytes[index + 2]) : 0
      let group = first | second | third
      text.append(alphabet[Int(group >> 18)])
      text.append(alphabet[Int(group >> 12 & 63)])
      text.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : padding)
      text.append(left > 2 ? alphabet[Int(group & 63)] : padding)
      index += 3
    }
    return text
  }

  static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var index = text.startIndex
    while index < text.endIndex {
      let isLast = index + 4 == text.endIndex
      let padded = !isLast || text[index + 3] != padding ? 0 : text[index + 2] == padding ? 2 : 1
      var group: UInt32 = 0
      for place in 0..<4 {
        let value = place >= 4 - padded ? 0 : values[Int(text[index + place])]
        guard value != invalid else { return nil }
        group = group << 6 | UInt32(value)
      }
      let spare: UInt32 = padded == 2 ? 0xFFFF : padded == 1 ? 0xFF : 0
      guard group & spare == 0 else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: group >> 16))
      if padded < 2 { bytes.append(UInt8(truncatingIfNeeded: group >> 8)) }
      if padded < 1 { bytes.append(UInt8(truncatingIfNeeded: group)) }
      index += 4
    }
    return bytes
  }
}

extension [UInt8] {
  /// What a text of base64 stands for. Nil for another text, also for one that another would be written as.
  package init?(base64 text: some Sequence<UInt8>) {
    guard let bytes = Base64.decode(Array(text)[...]) else { return nil }
    self = bytes
  }
}
