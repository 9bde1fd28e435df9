//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("The limit of the log")
struct LogLimitTests {
  private let start = ContinuousClock.now
  private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

  @Test(
    "the first line about a trouble goes at once, further ones of the second are kept, and counted but for the last")
  func keeps() {
    var limit = LogLimit<Int>()
    #expect(limit.admit(1, about: .broker, now: at(0))?.leftOut == 0)
    for line in 2...5 { #expect(limit.admit(line, about: .broker, now: at(line)) == nil) }
    #expect(limit.due(now: at(999)).isEmpty)
    let due = limit.due(now: at(1_000))
    #expect(due.map(\.line) == [5])
    #expect(due.map(\.leftOut) == [3])
    #expect(limit.due(now: at(5_000)).isEmpty)
  }

  @Test("a broker that flaps for twenty seconds is a line a second")
  func flapping() {
    var limit = LogLimit<Int>()
    var written: [ContinuousClock.Instant] = []
    for millisecond in 0..<20_000 {
      if limit.admit(millisecond, about: .broker, now: at(millisecond)) != nil { written.append(at(millisecond)) }
      if millisecond % 250 == 0, !limit.due(now: at(millisecond)).isEmpty { written.append(at(millisecond)) }
    }
    #expect(written.count <= 20)
    #expect(zip(written, written.dropFirst()).allSatisfy { $1 - $0 >= .seconds(1) })
  }

  @Test("after a quiet second a line goes at once, with what was left out before")
  func afterQuiet() {
    var limit = LogLimit<Int>()
    _ = limit.admit(1, about: .broker, now: at(0))
    _ = limit.admit(2, about: .broker, now: at(1))
    let passed = limit.admit(3, about: .broker, now: at(1_500))
    #expect(passed?.line == 3)
    #expect(passed?.leftOut == 1)
    #expect(limit.due(now: at(9_000)).isEmpty)
  }

  @Test("one trouble does not silence another, and at the end all that was kept is written")
  func apart() {
    var limit = LogLimit<Int>()
    #expect(limit.admit(1, about: .broker, now: at(0)) != nil)
    #expect(limit.admit(2, about: .channels, now: at(1)) != nil)
    _ = limit.admit(3, about: .broker, now: at(2))
    _ = limit.admit(4, about: .channels, now: at(2))
    #expect(limit.due(now: at(3), all: true).map(\.line).sorted() == [3, 4])
  }
}
