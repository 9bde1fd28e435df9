//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingRedis

@Suite("What a look at the socket brought")
struct ArrivedMessagesTests {
  /// Adds messages, each "channel text" or "pattern channel text", and gives back the batches: `channel[text text]`.
  private func batches(_ messages: [String]) -> [String] {
    var arrived = ArrivedMessages()
    var batches: [ArrivedMessages.Batch?] = []
    for message in messages {
      let words = message.split(separator: " ").map { Array($0.utf8) }
      let result = words[words.count - 1].withUnsafeBytes { payload in
        words[words.count - 2].withUnsafeBytes { name in
          words.count == 3
            ? words[0].withUnsafeBytes { arrived.add(payload, on: name, matching: $0) } : arrived.add(payload, on: name)
        }
      }
      if case .addedAfter(let batch) = result { batches.append(batch) }
    }
    batches.append(arrived.takeAll())
    return batches.compactMap(\.self).map { batch in
      "\(batch.pattern.map { "\($0) " } ?? "")\(batch.channel)[\(batch.messages.compactMap(\.text).joined(separator: " "))]"
    }
  }

  @Test("neighbours of one channel stay together, and all keep their order")
  func grouping() {
    #expect(batches(["a 1", "a 2", "b 3", "a 4"]) == ["a[1 2]", "b[3]", "a[4]"])
    #expect(batches([]) == [])
  }

  @Test("what a pattern brought is apart")
  func patterns() {
    #expect(batches(["a 1", "* a 1", "* b 2", "a* a 1", "a 2"]) == ["a[1]", "* a[1]", "* b[2]", "a* a[1]", "a[2]"])
  }

  @Test("a probe between messages does not part them, and neither does a name that cannot be")
  func others() {
    let long = String(repeating: "x", count: Channel.maximumBytes + 1)
    #expect(batches(["a 1", "__broadcast.probe.1 7", "a 2", "* \(long) 3", "a 4"]) == ["a[1 2 4]"])
  }

  @Test("names are told apart by their bytes, and what is not UTF-8 is no name")
  func names() {
    var arrived = ArrivedMessages()
    func add(_ name: [UInt8]) -> ArrivedMessages.Result {
      name.withUnsafeBytes { name in [UInt8(1)].withUnsafeBytes { arrived.add($0, on: name) } }
    }
    #expect(add([0xFF]) == .impossibleName)
    #expect(add([]) == .impossibleName)
    #expect(add([0x61, 0]) == .impossibleName)
    #expect(add(Array("__broadcast.probe.x".utf8)) == .probe)
    #expect(add(Array("é".utf8)) == .added)
    guard case .addedAfter(let batch) = add(Array("e\u{301}".utf8)) else {
      Issue.record("The two were taken for one.")
      return
    }
    #expect(batch.channel == "é")
  }

  @Test("a batch is not larger than the hub keeps together")
  func large() {
    let batches = batches((0..<600).map { "a \($0)" })
    #expect(batches.map { $0.split(separator: " ").count } == [256, 256, 88])
  }

  @Test("much in this second, or in the last, is busy")
  func pace() {
    func at(_ milliseconds: UInt64) -> LoopInstant { LoopInstant(milliseconds: milliseconds) }
    var pace = ReadingPace(now: at(0))
    for step in 0..<16 { pace.read(65_536, now: at(UInt64(step) * 10)) }
    #expect(pace.isBusy(now: at(200)))
    #expect(pace.isBusy(now: at(1500)))
    #expect(!pace.isBusy(now: at(4000)))
    pace.read(1000, now: at(4100))
    #expect(!pace.isBusy(now: at(4200)))
  }
}
