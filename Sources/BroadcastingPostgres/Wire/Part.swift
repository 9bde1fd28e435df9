//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A piece of a message that is too long for one notification.
///
/// NOTIFY carries at most 7,999 bytes of text. What is longer, plain or in its envelope, is cut between characters, and all
/// pieces are sent in their order in one transaction. Each begins with:
///
/// | bytes | what |
/// |---|---|
/// | 5 | `02 62 63 31 70`: an envelope's start, version "1", and "p" |
/// | decimal digits | a number, the same in all parts of a message, and another one in the next message of the same session |
/// | decimal digits | which part it is, from 1 on |
/// | decimal digits | how many parts there are |
/// | decimal digits | how many bytes of UTF-8 the whole has |
/// | the rest | the piece |
///
/// Each number is followed by one space, has up to 15 digits, and none begins with a needless zero. There may be one part alone: so messages that
/// are equal can be told apart by their numbers, where PostgreSQL would send only one of them.
struct Part: Hashable, Sendable {
  static let start: [UInt8] = [firstByte, 0x62, 0x63, 0x31, 0x70]
  static let firstByte: UInt8 = 0x02
  /// A limit of PostgreSQL: `NOTIFY_PAYLOAD_MAX_LENGTH`.
  static let maximumNotification = 7_999
  /// The most bytes of a piece: there is always room for the longest start, of 69 bytes.
  static let maximumPiece = 7_920
  private static let maximumDigits = 15

  var number: Int
  var index: Int
  var count: Int
  var totalBytes: Int

  /// What stands before the piece.
  var header: [UInt8] { Self.start + Array("\(number) \(index) \(count) \(totalBytes) ".utf8) }

  /// Reads the header of a notification. Nil for what is no part.
  ///
  /// - Returns: the part, and where its piece begins.
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> (part: Part, pieceStart: Int)? {
    guard bytes.starts(with: start) else { return nil }
    var position = start.count
    guard let number = parseNumber(bytes, &position), let index = parseNumber(bytes, &position),
      let count = parseNumber(bytes, &position), let total = parseNumber(bytes, &position),
      index >= 1, index <= count, bytes.count - position <= total
    else { return nil }
    return (Part(number: number, index: index, count: count, totalBytes: total), position)
  }

  private static func parseNumber(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Int? {
    let first = position
    var value = 0
    while position < bytes.count, position - first < maximumDigits, bytes[position] &- 0x30 < 10 {
      value = value * 10 + Int(bytes[position] - 0x30)
      position += 1
    }
    let digits = position - first
    guard digits > 0, digits == 1 || bytes[first] != 0x30, position < bytes.count, bytes[position] == 0x20 else {
      return nil
    }
    position += 1
    return value
  }

  /// Cuts text between characters into pieces.
  static func cut(_ text: [UInt8], atMost limit: Int = maximumPiece) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var begin = 0
    while text.count - begin > limit {
      var end = begin + limit
      // A byte of the form 10xxxxxx continues a character.
      while end > begin + 1, text[end] & 0xC0 == 0x80 { end -= 1 }
      pieces.append(begin..<end)
      begin = end
    }
    pieces.append(begin..<text.count)
    return pieces
  }
}
