//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

@Suite("The ring of a history")
struct HistoryRingTests {
  let budget = MemoryBudget()

  func ring(
    messages: Int = 100, bytes: Int = 1 << 20, age: Duration = .seconds(60), base: UInt64 = 0, isTruth: Bool = true
  ) -> HistoryRing {
    HistoryRing(
      HistoryPolicy(maximumMessages: messages, maximumBytes: bytes, maximumAge: age),
      base: .init(epoch: 7, offset: base), isTruth: isTruth, budget: budget)
  }

  @Test("it keeps the newest messages, and counts what went", arguments: [1, 2, 7, 8, 100, 1_000])
  func count(limit: Int) {
    var ring = ring(messages: limit)
    for offset in 1...2_500 { ring.append(message(offset), now: 0) }
    #expect(ring.count == limit && ring.base.offset == UInt64(2_500 - limit) && ring.last.offset == 2_500)
    #expect(offsets(ring.newest(limit)) == Array(2_500 - limit + 1...2_500))
    #expect(offsets(ring.newest(.max)).count == limit)
    #expect(offsets(ring.newest(0)) == [])
    #expect(offsets(ring.newest(1)) == [2_500])
  }

  @Test("it keeps so many bytes of payloads and headers, and the newest message in any case")
  func bytes() {
    var ring = ring(bytes: 1_000)
    for offset in 1...50 { ring.append(message(offset, size: 100), now: 0) }
    #expect(ring.count == 10 && ring.bytes == 1_000)
    let headers = [Message.Header("name", "valued")]
    ring.append(Message([], to: "a", headers: headers, position: .init(epoch: 7, offset: 51)), now: 0)
    #expect(ring.count == 10 && ring.bytes == 910)
    ring.append(message(52, size: 5_000), now: 0)
    #expect(offsets(ring.newest(.max)) == [52] && ring.bytes == 5_000)
    ring.append(message(53, size: 1), now: 0)
    #expect(offsets(ring.newest(.max)) == [53] && ring.bytes == 1)
  }

  @Test("what is too old goes, and never too early")
  func age() {
    var ring = ring(age: .seconds(10))
    for offset in 1...30 { ring.append(message(offset), now: offset) }
    // What was born in second 20 can be less than 10 s old in second 30.
    #expect(offsets(ring.newest(.max)) == Array(20...30))
    ring.trim(now: 40)
    #expect(offsets(ring.newest(.max)) == [30])
    ring.trim(now: 41)
    #expect(ring.count == 0 && ring.last.offset == 30 && ring.head.offset == 30 && ring.bytes == 0)
    ring.append(message(31), now: 50)
    #expect(offsets(ring.newest(.max)) == [31])
  }

  @Test("it says what is behind a position, and nil where it does not hold it all")
  func behind() {
    var ring = ring(messages: 10)
    #expect(ring.head == .beginning && ring.count(behind: .init(epoch: 7, offset: 0)) == 0)
    for offset in 1...15 { ring.append(message(offset), now: 0) }
    let counts = [4, 5, 6, 15, 16].map { ring.count(behind: .init(epoch: 7, offset: $0)) }
    #expect(counts == [nil, 10, 9, 0, nil])
    #expect(ring.count(behind: .init(epoch: 8, offset: 6)) == nil)
    #expect(ring.count(behind: .init(epoch: 7, offset: .max)) == nil)
  }

  @Test("what a reader has in hand does not change, and is counted until it lets go")
  func sharing() {
    do {
      var ring = ring(messages: 10)
      var held = 0
      func counted(_ change: (inout HistoryRing) -> Void) {
        let before = ring.heldBytes
        change(&ring)
        budget.add(ring.heldBytes - before)
      }
      for offset in 1...10 { counted { $0.append(message(offset, size: 1_000), now: 0) } }
      var parts: [Past.Part] = []
      counted { parts = $0.newest(10) }
      for offset in 11...100 { counted { $0.append(message(offset, size: 1_000), now: 0) } }
      #expect(offsets(parts) == Array(1...10))
      held = budget.heldBytes
      parts = []
      #expect(budget.heldBytes <= held - 10_000)
      #expect(budget.heldBytes < 15_000)
      budget.add(-ring.heldBytes)
    }
    #expect(budget.heldBytes == 0)
  }

  @Test("readers who come between single messages leave few blocks, and each gets what was there")
  func readersBetween() {
    var ring = ring(messages: 100)
    for offset in 1...1_000 {
      ring.append(message(offset), now: 0)
      let parts = ring.newest(100)
      #expect(offsets(parts) == Array(max(1, offset - 99)...offset))
      #expect(parts.count < 20)
      #expect(ring.newest(5).last?.block === parts.last?.block)
    }
    budget.add(ring.heldBytes)
    #expect(budget.heldBytes < 100 * 74 * 2)
    budget.add(-ring.heldBytes)
  }

  @Test("pages come in front as far as they fit and follow each other")
  func prepending() {
    var ring = ring(messages: 10, base: 20, isTruth: false)
    ring.append(message(21), now: 100)
    #expect(!ring.isWhole)
    ring.prepend([message(15), message(16)], isAll: true, now: 100)
    #expect(ring.count == 1 && !ring.isWhole)
    ring.prepend([message(16), message(18), message(19), message(20)], isAll: true, now: 100)
    #expect(offsets(ring.newest(.max)) == [18, 19, 20, 21] && ring.base.offset == 17 && !ring.isWhole)
    ring.prepend([message(16), message(17)], ages: [.seconds(50), .seconds(40)], isAll: true, now: 100)
    #expect(offsets(ring.newest(.max)) == Array(16...21) && ring.isWhole)
    ring.trim(now: 115)
    #expect(ring.base.offset == 16)
    ring.prepend((1...16).map { message($0) }, isAll: false, now: 115)
    #expect(ring.count == 10 && ring.base.offset == 11 && ring.isWhole)
    ring.append(message(22), now: 115)
    #expect(offsets(ring.newest(.max)) == Array(13...22))
  }

  @Test("it goes on elsewhere with nothing")
  func restarting() {
    var ring = ring(isTruth: false)
    for offset in 1...5 { ring.append(message(offset), now: 0) }
    ring.restart(at: .init(epoch: 9, offset: 3))
    #expect(ring.count == 0 && ring.last == .init(epoch: 9, offset: 3) && ring.heldBytes == 0 && !ring.isWhole)
    ring.restart(at: .init(epoch: 9, offset: 0), isWhole: true)
    #expect(ring.isWhole)
  }

  @Test("blocks up to an age go for the limit of all, and only the truth stays whole")
  func dropping() {
    for isTruth in [true, false] {
      var ring = ring(messages: 80, isTruth: isTruth)
      for offset in 1...200 { ring.append(message(offset), now: 0) }
      #expect(ring.isWhole)
      var ages: [Int] = []
      ring.visitBlocks { block, age, bytes in
        ages.append(age)
        #expect(bytes > 0)
      }
      #expect(ages == ages.sorted() && ages.count > 5)
      ring.drop(upTo: ages[2])
      #expect(ring.count < 80 && ring.count > 40 && ring.isWhole == isTruth)
      #expect(offsets(ring.newest(.max)) == Array(200 - ring.count + 1...200))
      ring.drop(upTo: ages[ages.count - 1])
      #expect(ring.count == 0 && ring.last.offset == 200 && ring.bytes == 0 && ring.heldBytes == 0)
      ring.append(message(201), now: 0)
      #expect(offsets(ring.newest(.max)) == [201])
    }
  }

  @Test("what was put in front goes first for the limit of all, and holds nothing up behind it")
  func droppingBehindWhatWasPutInFront() {
    var ring = HistoryRing(.init(), base: .init(epoch: 7, offset: 10), isTruth: false, budget: MemoryBudget())
    for offset in 11...60 { ring.append(message(offset), now: 0) }
    var newest = 0
    ring.visitBlocks { _, age, _ in newest = max(newest, age) }
    ring.prepend((1...10).map { message($0) }, isAll: true, now: 0)
    ring.drop(upTo: newest)
    #expect(ring.count == 0)
  }

  func message(_ offset: Int, size: Int = 10) -> Message {
    Message([UInt8](repeating: 0, count: size), to: "a", position: .init(epoch: 7, offset: UInt64(offset)))
  }

  func offsets(_ parts: [Past.Part]) -> [Int] {
    parts.flatMap { $0.deliveries[$0.range] }.compactMap(\.offset)
  }
}

extension Delivery {
  /// The offset of a message that has one.
  var offset: Int? {
    if case .message(let message) = self { message.position.map { Int($0.offset) } } else { nil }
  }
}
