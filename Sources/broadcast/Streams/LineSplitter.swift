//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Makes lines of bytes that come in pieces.
///
/// A line ends with LF, which is no part of it; a CR before it is. The last line may lack its LF.
struct LineSplitter {
  /// A line that is longer than allowed.
  struct TooLong: Error, Hashable {
    /// From 1 on.
    let number: Int
  }

  /// The most bytes of a line, its LF not counted.
  let limit: Int
  /// Lines that were given so far.
  private(set) var count = 0
  private var bytes: [UInt8] = []
  /// Where the next line begins, and up to where no LF was found in it.
  private var start = 0
  private var searched = 0

  init(limit: Int) { self.limit = limit }

  mutating func append(_ chunk: [UInt8]) {
    bytes.removeSubrange(..<start)
    searched -= start
    start = 0
    bytes += chunk
  }

  /// The next line; nil when more bytes are needed, or at the end.
  mutating func next(isAtEnd: Bool) throws(TooLong) -> [UInt8]? {
    let newline = bytes[searched...].firstIndex(of: UInt8(ascii: "\n"))
    let end = newline ?? bytes.count
    searched = end
    guard end - start <= limit else { throw TooLong(number: count + 1) }
    guard newline != nil || isAtEnd && start < end else { return nil }
    let line = Array(bytes[start..<end])
    start = newline == nil ? end : end + 1
    searched = start
    count += 1
    return line
  }
}
