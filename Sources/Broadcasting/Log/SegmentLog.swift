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
/// It has no lock and calls nothing: whoever owns it guards it. Only this module uses it: a generic of one module is not
/// specialized in another (Swift 6.3, for all but public code), and costs several times as much then. See ``ByteLog``.
struct SegmentLog<Element: LogElement>: Sendable {
  /// What a reader missed.
  struct Skip: Sendable, Equatable {
    /// Nil when a loss mark was among it, so that nobody knows.
    var messages: Int?
    var bytes: Int
    /// Whether the limit of all logs together took it, not the reader's own.
    var isByMemoryLimit: Bool
  }

  /// What a reader gets: a part of a segment's array, which it shares.
  struct Chunk: Sendable {
    var skip: Skip?
    var elements: [Element]
    var range: Range<Int>
    /// How many of them are loss marks.
    var marks = 0
  }

  struct Segment: Sendable {
    var elements: [Element]
    var start: LogPosition
    var cursors: Int
    /// The time of its making on the clock of all logs, which decides whose segment is the oldest.
    var age: Int
  }

  /// What a segment costs beside its elements.
  static var segmentBytes: Int { 128 }
  /// Where a segment that is being filled is full. Readers hold a segment as a whole, so this also bounds what a reader
  /// has in hand.
  static var fullMessages: Int { 128 }
  static var fullBytes: Int { 64 * 1_024 }

  // Segments that were freed leave an empty place in front of `first` until half of the array is such.
  var segments: [Segment] = []
  var first = 0
  var firstNumber = 0
  var cursorsAtEnd = 0
  var tailIsOpen = false
  var memoryFloor = LogPosition()

  /// What has ever been appended.
  var end = LogPosition()

  /// Bytes that the log holds now.
  var heldBytes = 0

  init() {}

  var count: Int { segments.count - first }
  var endNumber: Int { firstNumber + count }

  func place(of number: Int) -> Int { first + (number - firstNumber) }

  func start(of number: Int) -> LogPosition {
    number == endNumber ? end : segments[place(of: number)].start
  }
}

// MARK: Appending

extension SegmentLog {
  /// Appends one element. `age` is asked only where it begins a segment.
  mutating func append(_ element: Element, age: @autoclosure () -> Int) {
    let bytes = element.bufferedBytes
    // A large one never fills another's segment, whose age is that of its first element: it would go with it.
    if tailIsOpen, bytes < Self.fullBytes {
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
  mutating func append(contentsOf elements: [Element], age: @autoclosure () -> Int) {
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

  mutating func open(_ elements: [Element], age: Int, start: LogPosition? = nil) {
    segments.append(Segment(elements: elements, start: start ?? end, cursors: cursorsAtEnd, age: age))
    cursorsAtEnd = 0
    heldBytes += Self.segmentBytes
  }

  /// Frees the segments that lie outside of the limits, which are those of the cursor with the widest.
  mutating func trim(to limits: LogLimits) {
    while count > 1 {
      let next = segments[first + 1].start
      let remains = end.messages - next.messages
      guard remains > 0 else { return }
      guard remains >= limits.maximumMessages || end.bytes - next.bytes >= limits.maximumBytes else { return }
      dropFirst()
    }
  }
}

// MARK: Freeing

extension SegmentLog {
  /// The age and the bytes of each segment, for who must choose the oldest of several logs.
  func visitSegments(_ body: (_ age: Int, _ bytes: Int) -> Void) {
    for number in firstNumber..<endNumber { body(segments[place(of: number)].age, bytes(of: number)) }
  }

  /// Frees the segments up to an age, for the limit of all logs together.
  mutating func drop(upTo age: Int, keepingLast: Bool = false) {
    let least = keepingLast ? 1 : 0
    guard count > least, segments[first].age <= age else { return }
    while count > least, segments[first].age <= age { dropFirst() }
    memoryFloor = start(of: firstNumber)
  }

  /// Frees the segments that every cursor has passed.
  mutating func free() {
    while count > 0, segments[first].cursors == 0 { dropFirst() }
  }

  func bytes(of number: Int) -> Int {
    start(of: number + 1).bytes - segments[place(of: number)].start.bytes + Self.segmentBytes
  }

  mutating func dropFirst() {
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
