//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

/// An element of a chosen size. Negative numbers are loss marks.
private struct Item: LogElement, Equatable, ExpressibleByIntegerLiteral {
  var number: Int
  var bufferedBytes: Int
  var isLossMark: Bool { number < 0 }

  init(_ number: Int, bytes: Int = 1) {
    self.number = number
    bufferedBytes = bytes
  }

  init(integerLiteral number: Int) { self.init(number) }
}

private typealias Log = SegmentLog<Item>

private let wide = LogLimits(maximumMessages: 1_000_000, maximumBytes: 1_000_000_000)

extension SegmentLog where Element == Item {
  fileprivate typealias All = (items: [Int], skips: [Skip])

  fileprivate mutating func readAll(_ cursor: inout LogCursor, _ limits: LogLimits = wide) -> All {
    var all: All = ([], [])
    while let chunk = read(&cursor, limits: limits) {
      if let skip = chunk.skip { all.skips.append(skip) }
      all.items += chunk.elements[chunk.range].map(\.number)
    }
    return all
  }
}

@Suite("SegmentLog")
struct SegmentLogTests {
  @Test("a cursor gets what is appended after it was made, in order")
  func order() {
    var log = Log()
    var early = log.makeCursor()
    log.append(1, age: 0)
    var late = log.makeCursor()
    log.append(2, age: 0)
    log.append(contentsOf: [3, 4], age: 0)
    log.append(5, age: 0)
    #expect(log.readAll(&early).items == [1, 2, 3, 4, 5])
    #expect(log.readAll(&late).items == [2, 3, 4, 5])
  }

  @Test("what came together is read as one array, which is shared and not copied")
  func sharing() throws {
    var log = Log()
    var one = log.makeCursor()
    var two = log.makeCursor()
    log.append(contentsOf: [1, 2, 3], age: 0)
    let first = try #require(log.read(&one, limits: wide))
    let second = try #require(log.read(&two, limits: wide))
    #expect(first.range == 0..<3)
    let addresses = [first, second].map { $0.elements.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } }
    #expect(addresses[0] == addresses[1])
  }

  @Test("single elements fill a segment until it is read")
  func filling() throws {
    var log = Log()
    var cursor = log.makeCursor()
    for number in 1...5 { log.append(Item(number), age: 0) }
    #expect(try #require(log.read(&cursor, limits: wide)).range.count == 5)
    log.append(6, age: 0)
    log.append(7, age: 0)
    #expect(try #require(log.read(&cursor, limits: wide)).elements == [6, 7])
  }

  @Test("a segment goes when its last cursor has passed it")
  func freeing() {
    var log = Log()
    var fast = log.makeCursor()
    var slow = log.makeCursor()
    for number in 1...1_000 { log.append(Item(number, bytes: 10), age: 0) }
    let full = log.heldBytes
    _ = log.readAll(&fast)
    #expect(log.heldBytes == full)
    _ = log.read(&slow, limits: wide)
    #expect(log.heldBytes < full)
    _ = log.readAll(&slow)
    #expect(log.heldBytes == 0)
  }

  @Test("a removed cursor holds nothing")
  func removal() {
    var log = Log()
    var reader = log.makeCursor()
    let stalled = log.makeCursor()
    for number in 1...500 { log.append(Item(number), age: 0) }
    _ = log.readAll(&reader)
    #expect(log.heldBytes > 0)
    log.remove(stalled)
    #expect(log.heldBytes == 0)
    log.remove(reader)
    #expect(log.heldBytes == 0)
  }

  @Test(
    "beyond the limit of messages the newest stay, and the skip is exact", arguments: [1, 2, 3, 127, 128, 129, 1_000])
  func messageLimit(limit: Int) {
    let limits = LogLimits(maximumMessages: limit, maximumBytes: .max)
    for count in [limit, limit + 1, limit + 128, limit * 3 + 7] {
      var log = Log()
      var cursor = log.makeCursor()
      for number in 0..<count {
        log.append(Item(number), age: 0)
        log.trim(to: limits)
      }
      let (items, skips) = log.readAll(&cursor, limits)
      #expect(items == Array((count - limit)..<count))
      #expect(skips.map(\.messages) == (count > limit ? [count - limit] : []))
    }
  }

  @Test("beyond the limit of bytes the newest stay, and the skip is exact")
  func byteLimit() {
    let limits = LogLimits(maximumMessages: .max, maximumBytes: 100)
    var log = Log()
    var cursor = log.makeCursor()
    for number in 0..<50 {
      log.append(Item(number, bytes: 30), age: 0)
      log.trim(to: limits)
    }
    let (items, skips) = log.readAll(&cursor, limits)
    #expect(items == [47, 48, 49])
    #expect(skips == [.init(messages: 47, bytes: 47 * 30, isByMemoryLimit: false)])
  }

  @Test("the newest message stays although it alone is over the limit")
  func oversize() {
    let limits = LogLimits(maximumMessages: 10, maximumBytes: 100)
    var log = Log()
    var cursor = log.makeCursor()
    log.append(Item(1, bytes: 500), age: 0)
    log.trim(to: limits)
    #expect(log.readAll(&cursor, limits).items == [1])
    log.append(Item(2, bytes: 500), age: 0)
    log.append(Item(3, bytes: 500), age: 0)
    log.trim(to: limits)
    let (items, skips) = log.readAll(&cursor, limits)
    #expect(items == [3])
    #expect(skips.map(\.messages) == [1])
  }

  @Test("each cursor has limits of its own")
  func ownLimits() {
    let narrow = LogLimits(maximumMessages: 2, maximumBytes: .max)
    var log = Log()
    var patient = log.makeCursor()
    var hasty = log.makeCursor()
    for number in 0..<10 {
      log.append(Item(number), age: 0)
      log.trim(to: wide)
    }
    #expect(log.readAll(&patient).items == Array(0..<10))
    let (items, skips) = log.readAll(&hasty, narrow)
    #expect(items == [8, 9])
    #expect(skips.map(\.messages) == [8])
  }

  @Test("a skipped loss mark makes the count unknown")
  func marks() {
    let limits = LogLimits(maximumMessages: 2, maximumBytes: .max)
    var log = Log()
    var cursor = log.makeCursor()
    log.append(1, age: 0)
    log.append(-1, age: 0)
    for number in 2..<6 { log.append(Item(number), age: 0) }
    let (items, skips) = log.readAll(&cursor, limits)
    #expect(items == [4, 5])
    #expect(skips.count == 1 && skips[0].messages == nil)
  }

  @Test("a read stops at its limits but gives at least one element")
  func readLimits() throws {
    var log = Log()
    var cursor = log.makeCursor()
    log.append(contentsOf: (0..<10).map { Item($0, bytes: 10) }, age: 0)
    func take(_ messages: Int, _ bytes: Int) -> [Int]? {
      log.read(&cursor, limits: wide, maximumMessages: messages, maximumBytes: bytes).map {
        $0.elements[$0.range].map(\.number)
      }
    }
    #expect(take(3, .max) == [0, 1, 2])
    #expect(take(.max, 25) == [3, 4])
    #expect(take(.max, 1) == [5])
    #expect(take(1, 1) == [6])
    #expect(take(.max, .max) == [7, 8, 9])
    #expect(take(.max, .max) == nil)
  }

  @Test("what the limit of all logs took is told as such, also when nothing is left")
  func memoryLimit() {
    var log = Log()
    var cursor = log.makeCursor()
    log.append(contentsOf: [1, 2], age: 1)
    log.append(contentsOf: [3], age: 2)
    log.drop(upTo: 1)
    var (items, skips) = log.readAll(&cursor)
    #expect(items == [3])
    #expect(skips == [.init(messages: 2, bytes: 2, isByMemoryLimit: true)])
    log.append(contentsOf: [4], age: 3)
    log.drop(upTo: 3)
    #expect(log.heldBytes == 0)
    (items, skips) = log.readAll(&cursor)
    #expect(items == [] && skips.map(\.messages) == [1])
    log.append(5, age: 4)
    #expect(log.readAll(&cursor).items == [5])
  }

  @Test("a stalled cursor does not hold more than the limits and a segment")
  func bounded() {
    let limits = LogLimits(maximumMessages: 100, maximumBytes: 10_000)
    var log = Log()
    let stalled = log.makeCursor()
    var most = 0
    for number in 0..<100_000 {
      log.append(Item(number, bytes: 90), age: 0)
      log.trim(to: limits)
      most = max(most, log.heldBytes)
    }
    #expect(most < 10_000 + 128 * 90 + 3 * 128)
    #expect(log.backlog(of: stalled).messages == 100_000)
  }

  @Test("at random, every cursor gets what a simple model says", arguments: 0..<60)
  func model(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    var log = Log()
    var history: [Item] = []
    struct Reader {
      var cursor: LogCursor
      var limits: LogLimits
      var next: Int
    }
    var readers: [Reader] = []
    var widest = LogLimits(maximumMessages: 0, maximumBytes: 0)
    for _ in 0..<400 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0 where readers.count < 6:
        let limits = LogLimits(
          maximumMessages: .random(in: 1...300, using: &random), maximumBytes: .random(in: 1...3_000, using: &random))
        readers.append(Reader(cursor: log.makeCursor(), limits: limits, next: history.count))
      case 1 where !readers.isEmpty:
        let index = Int.random(in: 0..<readers.count, using: &random)
        log.remove(readers.remove(at: index).cursor)
      case 2...4 where !readers.isEmpty:
        let items = (0..<Int.random(in: 1...300, using: &random)).map { Item(history.count + $0, bytes: $0 % 40) }
        log.append(contentsOf: items, age: 0)
        history += items
      case 5...6 where !readers.isEmpty:
        let item = Item(history.count, bytes: .random(in: 0...50, using: &random))
        log.append(item, age: 0)
        history.append(item)
      default:
        guard !readers.isEmpty else { continue }
        let index = Int.random(in: 0..<readers.count, using: &random)
        var reader = readers[index]
        var expected = reader.next
        func isOver() -> Bool {
          history.count - expected > reader.limits.maximumMessages
            || history[expected...].reduce(0) { $0 + $1.bufferedBytes } > reader.limits.maximumBytes
        }
        while history.count - expected > 1, isOver() { expected += 1 }
        let chunk = log.read(
          &reader.cursor, limits: reader.limits, maximumMessages: .random(in: 1...200, using: &random),
          maximumBytes: .random(in: 1...2_000, using: &random))
        if expected == history.count {
          #expect(chunk == nil)
        } else if let chunk {
          #expect((chunk.skip?.messages ?? 0) == expected - reader.next)
          #expect(!chunk.range.isEmpty)
          #expect(chunk.elements[chunk.range].elementsEqual(history[expected..<expected + chunk.range.count]))
          reader.next = expected + chunk.range.count
        } else {
          Issue.record("nothing to read although \(history.count - expected) are there")
        }
        readers[index] = reader
      }
      widest = LogLimits(maximumMessages: 0, maximumBytes: 0)
      for reader in readers { widest.widen(to: reader.limits) }
      log.trim(to: widest)
      if readers.isEmpty { #expect(log.heldBytes == 0) }
    }
    for reader in readers { log.remove(reader.cursor) }
    #expect(log.heldBytes == 0)
  }
}
