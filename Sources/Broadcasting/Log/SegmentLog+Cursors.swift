//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension SegmentLog {
  /// A cursor that gets what is appended from now on.
  mutating func makeCursor() -> LogCursor {
    tailIsOpen = false
    cursorsAtEnd += 1
    return LogCursor(segment: endNumber, offset: 0, position: end)
  }

  /// Takes a cursor out, and frees what only it still needed.
  mutating func remove(_ cursor: LogCursor) {
    detach(cursor)
    free()
  }

  func hasUnread(_ cursor: LogCursor) -> Bool { cursor.position != end }

  /// Whether a cursor is further behind than its limits allow, so that it has missed something.
  func isBehind(_ cursor: LogCursor, _ limits: LogLimits) -> Bool {
    cursor.segment < firstNumber || !limits.allow(from: cursor.position, to: end)
  }

  /// How far a cursor is behind, limits not regarded.
  func backlog(of cursor: LogCursor) -> (messages: Int, bytes: Int) {
    (end.messages - cursor.position.messages, end.bytes - cursor.position.bytes)
  }

  /// Moves a cursor that lacks the last segment alone, and all of it: so stand all those that keep up. False for any other,
  /// which is left where it is.
  mutating func passLast(_ cursor: inout LogCursor) -> Bool {
    guard cursor.segment == endNumber - 1, cursor.offset == 0, count > 0 else { return false }
    detach(cursor)
    cursor = LogCursor(segment: endNumber, offset: 0, position: end)
    cursorsAtEnd += 1
    tailIsOpen = false
    free()
    return true
  }

  /// Gives what comes next for the cursor, at most the rest of one segment, and moves it behind that.
  ///
  /// At least one element is given where there is one, however large.
  mutating func read(
    _ cursor: inout LogCursor, limits: LogLimits, maximumMessages: Int = .max, maximumBytes: Int = .max
  ) -> Chunk? {
    guard cursor.position != end else { return nil }
    var skip: Skip?
    if cursor.segment < firstNumber || !limits.allow(from: cursor.position, to: end) {
      skip = catchUp(&cursor, limits: limits)
      guard cursor.position != end else { return Chunk(skip: skip, elements: [], range: 0..<0) }
    }
    let place = place(of: cursor.segment)
    let elements = segments[place].elements
    let segmentEnd = start(of: cursor.segment + 1)
    let from = cursor.offset
    if place == segments.count - 1 { tailIsOpen = false }

    if elements.count - from <= maximumMessages,
      segmentEnd.bytes - cursor.position.bytes <= maximumBytes || elements.count - from == 1
    {
      let marks = segmentEnd.marks - cursor.position.marks
      detach(cursor)
      cursor = LogCursor(segment: cursor.segment + 1, offset: 0, position: segmentEnd)
      attach(cursor)
      free()
      return Chunk(skip: skip, elements: elements, range: from..<elements.count, marks: marks)
    }
    var position = cursor.position
    var to = from
    repeat {
      position.advance(over: elements[to])
      to += 1
    } while to < elements.count && to - from < maximumMessages
      && position.bytes - cursor.position.bytes + elements[to].bufferedBytes <= maximumBytes
    let marks = position.marks - cursor.position.marks
    cursor.offset = to
    cursor.position = position
    return Chunk(skip: skip, elements: elements, range: from..<to, marks: marks)
  }

  /// Moves a cursor that is too far behind to the first element that is still its own: the longest rest of the log
  /// within its limits, but never less than the newest message.
  mutating func catchUp(_ cursor: inout LogCursor, limits: LogLimits) -> Skip? {
    let from = cursor.position
    detach(cursor)
    if cursor.segment < firstNumber {
      cursor = LogCursor(segment: firstNumber, offset: 0, position: start(of: firstNumber))
    }
    while !limits.allow(from: cursor.position, to: end) {
      let next = start(of: cursor.segment + 1)
      if end.messages > next.messages, !limits.allow(from: next, to: end) {
        cursor = LogCursor(segment: cursor.segment + 1, offset: 0, position: next)
        continue
      }
      guard end.messages - cursor.position.messages > 1 else { break }
      let elements = segments[place(of: cursor.segment)].elements
      cursor.position.advance(over: elements[cursor.offset])
      cursor.offset += 1
      if cursor.offset == elements.count { cursor = LogCursor(segment: cursor.segment + 1, offset: 0, position: next) }
    }
    attach(cursor)
    free()
    guard cursor.position != from else { return nil }
    let isCounted = cursor.position.marks == from.marks
    return Skip(
      messages: isCounted ? cursor.position.messages - from.messages : nil,
      bytes: cursor.position.bytes - from.bytes,
      isByMemoryLimit: memoryFloor.messages >= cursor.position.messages && memoryFloor.messages > 0)
  }

  mutating func attach(_ cursor: LogCursor) {
    if cursor.segment == endNumber {
      cursorsAtEnd += 1
    } else {
      segments[place(of: cursor.segment)].cursors += 1
    }
  }

  mutating func detach(_ cursor: LogCursor) {
    // A cursor whose segment is gone is counted where it would continue: at the first one.
    let number = max(cursor.segment, firstNumber)
    if number == endNumber {
      cursorsAtEnd -= 1
    } else {
      segments[place(of: number)].cursors -= 1
    }
  }
}
