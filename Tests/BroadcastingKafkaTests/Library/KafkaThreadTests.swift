//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import Testing

@testable import BroadcastingKafka

@Suite("Threads for what blocks", .timeLimit(.minutes(1)))
struct KafkaThreadTests {
  @Test("jobs run one after the other, off the loop, and answer on it")
  func order() async throws {
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      let thread = try KafkaThread(answeringOn: loop)
      let (numbers, source) = AsyncStream.makeStream(of: (Int, Bool, Bool).self)
      for number in 0..<100 {
        thread.run {
          (number, loop.isCurrent)
        } then: { answer in
          source.yield((answer.0, answer.1, loop.isCurrent))
        }
      }
      var seen: [Int] = []
      for await (number, wasOnLoop, isOnLoop) in numbers {
        #expect(!wasOnLoop && isOnLoop)
        seen.append(number)
        if seen.count == 100 { break }
      }
      #expect(seen == Array(0..<100))
      thread.end()
    }
  }

  @Test("at its end what was asked before is done, and nothing after it")
  func end() async throws {
    final class Witness: Sendable {
      let tell: @Sendable () -> Void
      init(_ tell: @escaping @Sendable () -> Void) { self.tell = tell }
      deinit { tell() }
    }
    try await withEventLoops(count: 1) { loops in
      let thread = try KafkaThread(answeringOn: loops[0])
      let (words, source) = AsyncStream.makeStream(of: String.self)
      thread.run {
        "before"
      } then: {
        source.yield($0)
      }
      thread.end()
      thread.end()
      // What is not taken is let go of.
      let witness = Witness { source.yield("refused") }
      thread.run { [witness] in
        withExtendedLifetime(witness) { "after" }
      } then: {
        source.yield($0)
      }
      _ = consume witness
      var seen: Set<String> = []
      for await word in words {
        seen.insert(word)
        if seen.count == 2 { break }
      }
      #expect(seen == ["before", "refused"])
    }
  }
}
