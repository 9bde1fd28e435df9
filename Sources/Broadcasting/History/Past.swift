//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a reader gets before all that is live: a part of a history, with its gaps. It never changes, so that all who ask
/// for the same share one.
final class Past: Sendable {
  /// A piece of a block.
  struct Part: Sendable {
    var block: HistoryBlock
    var range: Range<Int>
    var deliveries: [Delivery] { block.deliveries }

    init(_ block: HistoryBlock, _ range: Range<Int>) {
      self.block = block
      self.range = range
    }

    /// A gap, which is never too old for the limit of all logs.
    init(_ gap: Gap, budget: MemoryBudget) {
      let gap = Delivery.gap(gap)
      self.init(HistoryBlock([gap], bytes: gap.bufferedBytes, age: .max, budget: budget), 0..<1)
    }
  }

  let parts: [Part]
  let recovery: Recovery
  /// Live messages up to here are not for this reader, who has them already.
  let skipThrough: MessagePosition?
  private let budget: MemoryBudget

  init(_ parts: [Part], _ recovery: Recovery, skipThrough: MessagePosition? = nil, budget: MemoryBudget) {
    self.parts = parts
    self.recovery = recovery
    self.skipThrough = skipThrough
    self.budget = budget
    budget.add(ownBytes)
  }

  /// Of what was read from a broker.
  convenience init(
    _ merge: HistoryMerge, head: MessagePosition?, skipThrough: MessagePosition? = nil, budget: MemoryBudget
  ) {
    let recovery = Recovery(isComplete: merge.isComplete, messages: merge.messages, head: head)
    self.init(Self.parts(of: merge.deliveries, budget: budget), recovery, skipThrough: skipThrough, budget: budget)
  }

  /// Deliveries in blocks of their own.
  static func parts(of deliveries: [Delivery], budget: MemoryBudget) -> [Part] {
    HistoryBlock.parts(of: deliveries).map { part in
      let block = HistoryBlock(part.deliveries, bytes: part.bytes, age: budget.tick(), budget: budget)
      return Part(block, part.deliveries.indices)
    }
  }

  /// The same place, with other things to read.
  func replaced(by parts: [Part]) -> Past { Past(parts, recovery, skipThrough: skipThrough, budget: budget) }

  deinit { budget.add(-ownBytes) }

  /// Blocks count themselves.
  private var ownBytes: Int { 96 + parts.count * MemoryLayout<Part>.stride }
}

/// How far a reader is in its past.
struct PastCursor: Sendable {
  private(set) var past: Past
  private var part = 0
  private var offset = 0
  /// What is to be read when all of `past` has been. Nothing where that is so.
  private var behind: [Past.Part] = []
  /// How much was appended since the past was made.
  private(set) var appendedMessages = 0
  private(set) var appendedBytes = 0

  init(_ past: Past) { self.past = past }

  /// Whether it has nothing more to say.
  var isDone: Bool { !hasUnread && past.skipThrough == nil }

  /// Whether there is something left to read.
  var hasUnread: Bool { part < past.parts.count }

  /// Adds what comes next.
  mutating func append(_ parts: [Past.Part], messages: Int, bytes: Int) {
    appendedMessages += messages
    appendedBytes += bytes
    if hasUnread { behind += parts } else { goOn(with: parts) }
  }

  private mutating func goOn(with parts: [Past.Part]) {
    past = past.replaced(by: parts)
    (part, offset) = (0, 0)
  }

  /// Messages that are left.
  var unreadMessages: Int {
    (past.parts[part...] + behind).enumerated().reduce(0) { count, part in
      let range = part.element.range
      let rest = part.offset == 0 ? range.lowerBound + offset..<range.upperBound : range
      return count + part.element.deliveries[rest].reduce(0) { $0 + ($1.isLossMark ? 0 : 1) }
    }
  }

  /// What comes next, at most the rest of a block; one delivery however large. To be called where there is some.
  mutating func read(maximumMessages: Int, maximumBytes: Int) -> SegmentLog<Delivery>.Chunk {
    let current = past.parts[part]
    let from = current.range.lowerBound + offset
    var (to, bytes, marks) = (from, 0, 0)
    repeat {
      bytes += current.deliveries[to].bufferedBytes
      if current.deliveries[to].isLossMark { marks += 1 }
      to += 1
    } while to < current.range.upperBound && to - from < maximumMessages
      && bytes + current.deliveries[to].bufferedBytes <= maximumBytes
    offset += to - from
    if to == current.range.upperBound { (part, offset) = (part + 1, 0) }
    if !hasUnread, !behind.isEmpty {
      goOn(with: behind)
      behind = []
    }
    return SegmentLog.Chunk(elements: current.deliveries, range: from..<to, marks: marks)
  }

  /// The blocks that are still to be read.
  func visitBlocks(_ body: (HistoryBlock) -> Void) {
    for part in past.parts[part...] where part.block.age != .max { body(part.block) }
    for part in behind where part.block.age != .max { body(part.block) }
  }

  /// Gives up the blocks up to an age, for the limit of all logs together: a gap stands in their place.
  mutating func drop(upTo age: Int, topic: Topic, budget: MemoryBudget) {
    if !behind.isEmpty {
      past = past.replaced(by: past.parts[part...] + behind)
      (part, behind) = (0, [])
    }
    guard let index = past.parts[part...].lastIndex(where: { $0.block.age <= age }) else { return }
    // What it takes with it that was a gap already is missing as well.
    var missed: Int? = 0
    for number in part...index {
      let dropped = past.parts[number]
      for delivery in dropped.deliveries[dropped.range.dropFirst(number == part ? offset : 0)] {
        switch delivery {
        case .message: missed = missed.map { $0 + 1 }
        case .gap(let gap): missed = missed.flatMap { missed in gap.missed.map { missed + $0 } }
        }
      }
    }
    (part, offset) = (index + 1, 0)
    let gap = Gap(topic, missed: missed, reason: .memoryLimit)
    past = Past(
      [Past.Part(gap, budget: budget)] + past.parts[part...], past.recovery, skipThrough: past.skipThrough,
      budget: budget)
    part = 0
  }
}
