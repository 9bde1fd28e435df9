//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Cuts the head of a message into its start line and fields, by the strict grammar of RFC 9112 and nothing beyond it.
///
/// It stands before llhttp, which in some version takes a bare LF for a line's end, several spaces for one, a folded
/// line, an empty name or any version. Two programs that read such a head differently see different requests in the
/// same bytes: so nothing gets past here on which llhttp and a proxy could differ, and limits are found byte for byte
/// the same however the bytes arrive.
struct HeadScanner {
  enum Kind {
    case request, response
  }

  enum Progress {
    case incomplete, complete
  }

  private enum State: UInt8 {
    case start, blankLineLF
    case method, target
    case version, statusSpace, status, reason
    case startLineCR, startLineLF
    case lineStart, name, beforeValue, value, valueLF, endLF
    case done
  }

  /// No method that llhttp knows is longer.
  private static let longestMethod = 32

  private static let versionPrefix: StaticString = "HTTP/1."

  private let kind: Kind
  private var limits: HTTPLimits
  private var state = State.start
  private var sawBlankLine = false
  private var versionMatched = 0
  private var headerStart = 0
  private var nameStart = 0
  private var nameEnd = 0
  private var valueStart = 0

  /// The head as far as it has come, without an empty line before it.
  private(set) var head: [UInt8] = []
  private(set) var fields: [HTTPHeaders.Field] = []
  private(set) var methodEnd = 0
  private(set) var target = 0..<0
  private(set) var version = HTTPVersion.http1_1
  private(set) var status = 0

  init(_ kind: Kind, _ limits: HTTPLimits) {
    self.kind = kind
    self.limits = limits
    // Places in the head are 32 bits wide, and no limit makes sense below zero.
    self.limits.targetBytes = min(max(0, limits.targetBytes), 1 << 30)
    self.limits.headerBytes = min(max(0, limits.headerBytes), 1 << 30)
    self.limits.headerFields = max(0, limits.headerFields)
  }

  /// Whether no byte of a message has come: at most the one empty line that some clients send behind a body.
  var isIdle: Bool { state == .start }

  /// Takes bytes up to the head's end and tells how many those were.
  mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(HTTPError) -> (consumed: Int, progress: Progress) {
    var index = 0
    while state == .start || state == .blankLineLF {
      guard index < bytes.count else { return (index, .incomplete) }
      try begin(bytes[index])
      if state == .method || state == .version { break }
      index += 1
    }
    // Positions count in `head`, whose end these bytes become.
    let skipped = index
    let offset = head.count - skipped
    if head.isEmpty { fields.reserveCapacity(min(limits.headerFields, 8)) }
    while index < bytes.count, state != .done {
      try step(bytes, &index, offset)
    }
    head.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[skipped..<index]))
    guard state == .done else { return (index, .incomplete) }
    trimValues()
    return (index, .complete)
  }

  /// One byte before the start line. RFC 9112 section 2.2 asks to overlook an empty line there.
  private mutating func begin(_ byte: UInt8) throws(HTTPError) {
    switch (state, byte) {
    case (.start, ASCII.cr) where !sawBlankLine: state = .blankLineLF
    case (.blankLineLF, ASCII.lf):
      sawBlankLine = true
      state = .start
    case (.start, _): state = kind == .request ? .method : .version
    default: throw malformed("A CR must be followed by LF.")
    }
  }

  /// Goes from `index` as far as one state reaches.
  private mutating func step(
    _ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ offset: Int
  ) throws(HTTPError) {
    switch state {
    case .method, .target: try requestLine(bytes, &index, offset)
    case .version, .statusSpace, .status, .reason, .startLineCR, .startLineLF:
      try startLineEnd(bytes, &index, offset)
    default: try headerLine(bytes, &index, offset)
    }
  }

  private mutating func requestLine(
    _ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ offset: Int
  ) throws(HTTPError) {
    if state == .method {
      while index < bytes.count, ASCII.isToken(bytes[index]) { index += 1 }
      guard offset + index <= Self.longestMethod else { throw .unknownMethod }
      guard index < bytes.count else { return }
      guard bytes[index] == ASCII.space, offset + index > 0 else {
        throw malformed("A request begins with a method, one space, a target, one space and the version.")
      }
      methodEnd = offset + index
      index += 1
      target = offset + index..<offset + index
      state = .target
    } else {
      while index < bytes.count, ASCII.isTarget(bytes[index]) { index += 1 }
      target = target.lowerBound..<offset + index
      guard target.count <= limits.targetBytes else {
        throw HTTPError(
          .targetTooLong, "The request target is longer than \(limits.targetBytes) bytes. Send a shorter one.")
      }
      guard index < bytes.count else { return }
      guard bytes[index] == ASCII.space, !target.isEmpty else {
        throw malformed(
          "The request target is empty or has a byte that isn't visible ASCII, or the version is missing. "
            + "Encode other bytes with %.")
      }
      index += 1
      state = .version
    }
  }

  /// The version and, in a response, what follows it.
  private mutating func startLineEnd(
    _ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ offset: Int
  ) throws(HTTPError) {
    let byte = bytes[index]
    switch state {
    case .version:
      let prefix = Self.versionPrefix
      while versionMatched < prefix.utf8CodeUnitCount {
        guard index < bytes.count else { return }
        guard bytes[index] == prefix.utf8Start[versionMatched] else { throw wrongVersion }
        versionMatched += 1
        index += 1
      }
      guard index < bytes.count else { return }
      switch bytes[index] {
      case UInt8(ascii: "0"): version = .http1_0
      case UInt8(ascii: "1"): version = .http1_1
      default: throw wrongVersion
      }
      state = kind == .request ? .startLineCR : .statusSpace
    case .statusSpace:
      guard byte == ASCII.space else { throw malformed("The version in a status line is followed by one space.") }
      headerStart = offset + index + 1
      state = .status
    case .status:
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10, status > 0 || digit > 0 else { throw malformed("A status code has three digits.") }
      status = status * 10 + Int(digit)
      if status >= 100 { state = .reason }
    case .reason:
      // The space before the phrase is left out by some servers where there is no phrase.
      guard byte == ASCII.space || offset + index > headerStart + 3 || byte == ASCII.cr else {
        throw malformed("A status code has three digits.")
      }
      while index < bytes.count, ASCII.isFieldValue(bytes[index]) { index += 1 }
      try checkHeaderSize(offset + index)
      guard index < bytes.count else { return }
      guard bytes[index] == ASCII.cr else { throw malformed("A status line ends with CR LF.") }
      state = .startLineLF
    case .startLineCR:
      guard byte == ASCII.cr else { throw wrongVersion }
      state = .startLineLF
    default:
      guard byte == ASCII.lf else { throw malformed("A CR must be followed by LF.") }
      headerStart = offset + index + 1
      state = .lineStart
    }
    index += 1
  }

  private mutating func headerLine(
    _ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ offset: Int
  ) throws(HTTPError) {
    switch state {
    case .lineStart:
      switch bytes[index] {
      case ASCII.cr:
        index += 1
        state = .endLF
      case ASCII.space, ASCII.tab: throw malformed("A header line goes on in the next line; write it in one.")
      default:
        guard fields.count < limits.headerFields else {
          throw HTTPError(.headersTooLarge, "There are more than \(limits.headerFields) header fields. Send fewer.")
        }
        nameStart = offset + index
        state = .name
      }
    case .name:
      while index < bytes.count, ASCII.isToken(bytes[index]) { index += 1 }
      try checkHeaderSize(offset + index)
      guard index < bytes.count else { return }
      nameEnd = offset + index
      guard bytes[index] == UInt8(ascii: ":"), nameEnd > nameStart else {
        throw malformed("A header field is a name without spaces, a colon and a value.")
      }
      index += 1
      state = .beforeValue
    case .beforeValue:
      while index < bytes.count, bytes[index] == ASCII.space || bytes[index] == ASCII.tab { index += 1 }
      try checkHeaderSize(offset + index)
      guard index < bytes.count else { return }
      valueStart = offset + index
      state = .value
    case .value:
      index = bytes.endOfFieldValue(from: index)
      try checkHeaderSize(offset + index)
      guard index < bytes.count else { return }
      guard bytes[index] == ASCII.cr else {
        throw malformed("A header field's value has a control character, or its line ends without CR.")
      }
      fields.append(
        HTTPHeaders.Field(
          name: UInt32(nameStart)..<UInt32(nameEnd), value: UInt32(valueStart)..<UInt32(offset + index)))
      index += 1
      state = .valueLF
    default:
      guard bytes[index] == ASCII.lf else { throw malformed("A CR must be followed by LF.") }
      index += 1
      try checkHeaderSize(offset + index)
      state = state == .endLF ? .done : .lineStart
    }
  }

  /// White space behind a value is no part of it (RFC 9112 section 5.1). Done at the end, since a value may have
  /// come in pieces.
  private mutating func trimValues() {
    for index in fields.indices {
      let value = fields[index].value
      var end = value.upperBound
      while end > value.lowerBound, head[Int(end) - 1] == ASCII.space || head[Int(end) - 1] == ASCII.tab { end -= 1 }
      if end < value.upperBound { fields[index].value = value.lowerBound..<end }
    }
  }

  @inline(__always)
  private func checkHeaderSize(_ position: Int) throws(HTTPError) {
    guard position - headerStart <= limits.headerBytes else { throw headersTooLarge }
  }

  private var headersTooLarge: HTTPError {
    HTTPError(.headersTooLarge, "The header is larger than \(limits.headerBytes) bytes. Send less.")
  }

  private func malformed(_ message: String) -> HTTPError {
    HTTPError(.malformed, message)
  }

  private var wrongVersion: HTTPError {
    malformed("The version must be HTTP/1.1 or HTTP/1.0, and its line must end with CR LF.")
  }
}

extension UnsafeRawBufferPointer {
  /// The index of the first byte from `start` on that no field value may have, or the count.
  fileprivate func endOfFieldValue(from start: Int) -> Int {
    var index = start
    // Eight bytes at a time: a byte's high bit in `odd` is set where the byte is below 32 or is 127. A borrow can
    // only set too many of them, and then the loop below looks at each byte.
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    while count - index >= 8 {
      let word = loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let deletes = word ^ (ones &* 127)
      let odd = ((word &- ones &* 32) & ~word | (deletes &- ones) & ~deletes) & highs
      if odd != 0 { break }
      index += 8
    }
    while index < count, ASCII.isFieldValue(self[index]) { index += 1 }
    return index
  }
}
