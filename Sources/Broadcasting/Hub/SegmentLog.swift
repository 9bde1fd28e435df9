//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A bounded log of which any number of readers each remember only how far they are.
///
/// The log is a queue of segments. What was appended at once is a segment of its own; single elements fill the last
/// segment until somebody reads it, so an array which a reader holds is never changed and never copied. Each segment
/// counts the cursors that stand in it: when the first segment has none left, it goes. Appending, reading and freeing are
/// therefore O(1) for each segment, whatever the number of cursors.
///
/// It has no lock and calls nothing: whoever owns it guards it. It is inlinable because other modules have logs of elements
/// of their own, and a generic that is not specialized for them would cost several times as much.
package struct SegmentLog<Element: LogElement>: Sendable {
  /// A reader's place. Only its own log gives it a meaning; give it back with ``remove(_:)``.
  package struct Cursor: Sendable {
    @usableFromInline var segment: Int
    @usableFromInline var offset: Int
    /// What lies behind the reader.
    @usableFromInline package internal(set) var position: LogPosition

    @inlinable init(segment: Int, offset: Int, position: LogPosition) {
      self.segment = segment
      self.offset = offset
      self.position = position
    }
  }

  /// What a reader missed.
  package struct Skip: Sendable, Equatable {
    /// Nil when a loss mark was among it, so that nobody knows.
    package var messages: Int?
    package var bytes: Int
    /// Whether the limit of all logs together took it, not the reader's own.
    package var isByMemoryLimit: Bool

    @inlinable init(messages: Int?, bytes: Int, isByMemoryLimit: Bool) {
      self.messages = messages
      self.bytes = bytes
      self.isByMemoryLimit = isByMemoryLimit
    }
  }

  /// What a reader gets: a part of a segment's array, which it shares.
  package struct Chunk: Sendable {
    package var skip: Skip?
    package var elements: [Element]
    package var range: Range<Int>

    @inlinable init(skip: Skip?, elements: [Element], range: Range<Int>) {
      self.skip = skip
      self.elements = elements
      self.range = range
    }
  }

  @usableFromInline struct Segment: Sendable {
    @usableFromInline var elements: [Element]
    @usableFromInline var start: LogPosition
    @usableFromInline var cursors: Int
    /// The time of its making on the clock of all logs, which decides whose segment is the oldest.
    @usableFromInline var age: Int

    @inlinable init(elements: [Element], start: LogPosition, cursors: Int, age: Int) {
      self.elements = elements
      self.start = start
      self.cursors = cursors
      self.age = age
    }
  }

  /// What a segment costs beside its elements.
  @inlinable static var segmentBytes: Int { 128 }
  /// Where a segment that is being filled is full. Readers hold a segment as a whole, so this also bounds what a reader
  /// has in hand.
  @inlinable static var fullMessages: Int { 128 }
  @inlinable static var fullBytes: Int { 64 * 1_024 }

  // Segments that were freed leave an empty place in front of `first` until half of the array is such.
  @usableFromInline var segments: [Segment] = []
  @usableFromInline var first = 0
  @usableFromInline var firstNumber = 0
  @usableFromInline var cursorsAtEnd = 0
  @usableFromInline var tailIsOpen = false
  @usableFromInline var memoryFloor = LogPosition()

  /// What has ever been appended.
  @usableFromInline package internal(set) var end = LogPosition()

  /// Bytes that the log holds now.
  @usableFromInline package internal(set) var heldBytes = 0

  @inlinable package init() {}

  @inlinable var count: Int { segments.count - first }
  @inlinable var endNumber: Int { firstNumber + count }

  @inlinable func place(of number: Int) -> Int { first + (number - firstNumber) }

  @inlinable func start(of number: Int) -> LogPosition {
    number == endNumber ? end : segments[place(of: number)].start
  }
}

// MARK: Appending

extension SegmentLog {
  /// Appends one element. `age` is asked only where it begins a segment.
  @inlinable package mutating func append(_ element: Element, age: @autoclosure () -> Int) {
    let bytes = element.bufferedBytes
    if tailIsOpen {
      segments[segments.count - 1].elements.append(element)
    } else {
      open([element], age: age())
    }
    end.advance(over: element)
    heldBytes += bytes
    let tail = segments[segments.count - 1]
    tailIsOpen = tail.elements.count < Self.fullMessages && end.bytes - tail.start.bytes < Self.fullBytes
  }

  /// Appends elements that came together, as segments which readers get as a whole.
  @inlinable package mutating func append(contentsOf elements: [Element], age: @autoclosure () -> Int) {
    guard !elements.isEmpty else { return }
    let age = age()
    var from = 0
    while from < elements.count {
      let start = end
      var to = from
      while to < elements.count, to == from || end.bytes - start.bytes < Self.fullBytes * 4, to - from < 256 {
        end.advance(over: elements[to])
        to += 1
      }
      let part = from == 0 && to == elements.count ? elements : Array(elements[from..<to])
      open(part, age: age, start: start)
      heldBytes += end.bytes - start.bytes
      from = to
    }
    tailIsOpen = false
  }

  @inlinable mutating func open(_ elements: [Element], age: Int, start: LogPosition? = nil) {
    segments.append(Segment(elements: elements, start: start ?? end, cursors: cursorsAtEnd, age: age))
    cursorsAtEnd = 0
    heldBytes += Self.segmentBytes
  }

  /// Frees the segments that lie outside of the limits, which are those of the cursor with the widest.
  @inlinable package mutating func trim(to limits: LogLimits) {
    while count > 1 {
      let next = segments[first + 1].start
      let remains = end.messages - next.messages
      guard remains > 0 else { return }
      guard remains >= limits.maximumMessages || end.bytes - next.bytes >= limits.maximumBytes else { return }
      dropFirst()
    }
  }
}

// MARK: Cursors

extension SegmentLog {
  /// A cursor that gets what is appended from now on.
  @inlinable package mutating func makeCursor() -> Cursor {
    tailIsOpen = false
    cursorsAtEnd += 1
    return Cursor(segment: endNumber, offset: 0, position: end)
  }

  /// Takes a cursor out, and frees what only it still needed.
  @inlinable package mutating func remove(_ cursor: Cursor) {
    detach(cursor)
    free()
  }

  @inlinable package func hasUnread(_ cursor: Cursor) -> Bool { cursor.position != end }

  /// Whether a cursor is further behind than its limits allow, so that it has missed something.
  @inlinable package func isBehind(_ cursor: Cursor, _ limits: LogLimits) -> Bool {
    cursor.segment < firstNumber || !limits.allow(from: cursor.position, to: end)
  }

  /// How far a cursor is behind, limits not regarded.
  @inlinable package func backlog(of cursor: Cursor) -> (messages: Int, bytes: Int) {
    (end.messages - cursor.position.messages, end.bytes - cursor.position.bytes)
  }

  /// Gives what comes next for the cursor, at most the rest of one segment, and moves it behind that.
  ///
  /// At least one element is given where there is one, however large.
  @inlinable package mutating func read(
    _ cursor: inout Cursor, limits: LogLimits, maximumMessages: Int = .max, maximumBytes: Int = .max
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
      detach(cursor)
      cursor = Cursor(segment: cursor.segment + 1, offset: 0, position: segmentEnd)
      attach(cursor)
      free()
      return Chunk(skip: skip, elements: elements, range: from..<elements.count)
    }
    var position = cursor.position
    var to = from
    repeat {
      position.advance(over: elements[to])
      to += 1
    } while to < elements.count && to - from < maximumMessages
      && position.bytes - cursor.position.bytes + elements[to].bufferedBytes <= maximumBytes
    cursor.offset = to
    cursor.position = position
    return Chunk(skip: skip, elements: elements, range: from..<to)
  }

  /// Moves a cursor that is too far behind to the first element that is still its own: the longest rest of the log
  /// within its limits, but never less than the newest message.
  @inlinable mutating func catchUp(_ cursor: inout Cursor, limits: LogLimits) -> Skip? {
    let from = cursor.position
    detach(cursor)
    if cursor.segment < firstNumber {
      cursor = Cursor(segment: firstNumber, offset: 0, position: start(of: firstNumber))
    }
    while !limits.allow(from: cursor.position, to: end) {
      let next = start(of: cursor.segment + 1)
      if end.messages > next.messages, !limits.allow(from: next, to: end) {
        cursor = Cursor(segment: cursor.segment + 1, offset: 0, position: next)
        continue
      }
      guard end.messages - cursor.position.messages > 1 else { break }
      let elements = segments[place(of: cursor.segment)].elements
      cursor.position.advance(over: elements[cursor.offset])
      cursor.offset += 1
      if cursor.offset == elements.count { cursor = Cursor(segment: cursor.segment + 1, offset: 0, position: next) }
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

  @inlinable mutating func attach(_ cursor: Cursor) {
    if cursor.segment == endNumber {
      cursorsAtEnd += 1
    } else {
      segments[place(of: cursor.segment)].cursors += 1
    }
  }

  @inlinable mutating func detach(_ cursor: Cursor) {
    // A cursor whose segment is gone is counted where it would continue: at the first one.
    let number = max(cursor.segment, firstNumber)
    if number == endNumber {
      cursorsAtEnd -= 1
    } else {
      segments[place(of: number)].cursors -= 1
    }
  }
}

// MARK: Freeing

extension SegmentLog {
  /// The age and the bytes of each segment, for who must choose the oldest of several logs.
  @inlinable package func visitSegments(_ body: (_ age: Int, _ bytes: Int) -> Void) {
    for number in firstNumber..<endNumber { body(segments[place(of: number)].age, bytes(of: number)) }
  }

  /// Frees the segments up to an age, for the limit of all logs together.
  @inlinable package mutating func drop(upTo age: Int) {
    guard count > 0, segments[first].age <= age else { return }
    while count > 0, segments[first].age <= age { dropFirst() }
    memoryFloor = start(of: firstNumber)
  }

  /// Frees the segments that every cursor has passed.
  @inlinable mutating func free() {
    while count > 0, segments[first].cursors == 0 { dropFirst() }
  }

  @inlinable func bytes(of number: Int) -> Int {
    start(of: number + 1).bytes - segments[place(of: number)].start.bytes + Self.segmentBytes
  }

  @inlinable mutating func dropFirst() {
    heldBytes -= bytes(of: firstNumber)
    let cursors = segments[first].cursors
    if count == 1 {
      cursorsAtEnd += cursors
      segments.removeAll(keepingCapacity: segments.capacity <= 64)
      first = 0
      tailIsOpen = false
    } else {
      segments[first + 1].cursors += cursors
      segments[first].elements = []
      first += 1
      if first > 16, first > segments.count / 2 {
        segments.removeFirst(first)
        first = 0
      }
    }
    firstNumber += 1
  }
}
