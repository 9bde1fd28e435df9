//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingKafka
@testable import BroadcastingNetwork

@Suite("What the hub has asked for")
struct TopicRequestsTests {
  private func at(_ milliseconds: UInt64) -> LoopInstant { LoopInstant(milliseconds: milliseconds) }

  @Test("what is asked while an answer is out goes together with the next")
  func batches() {
    var requests = TopicRequests<String>()
    #expect(requests.nextBatch().count == 0)
    let first = requests.add(.subscribe, "a", deadline: at(10), "A")
    requests.ask(first)
    #expect(requests.nextBatch().map(\.number) == [first])
    let second = requests.add(.catchUp, "b", deadline: at(10), "B")
    let third = requests.add(.subscribe, "c", deadline: at(10), "C")
    requests.ask(second)
    requests.ask(third)
    #expect(requests.nextBatch().count == 0)
    requests.answered()
    #expect(requests.end(first) == "A")
    #expect(requests.end(first) == nil)
    let batch = requests.nextBatch()
    #expect(batch.map(\.number) == [second, third] && batch.map(\.kind) == [.catchUp, .subscribe])
  }

  @Test("a batch has a limit, and those who have gone have no place in it")
  func limit() {
    var requests = TopicRequests<Int>()
    for number in 0..<3_000 { requests.ask(requests.add(.subscribe, "c", deadline: at(10), number)) }
    for number in UInt64(1)...1_500 { #expect(requests.end(number) != nil) }
    #expect(requests.nextBatch().map(\.number) == Array(1_501...2_524))
    requests.answered()
    #expect(requests.nextBatch().map(\.number) == Array(2_525...3_000))
  }

  @Test("whose time is over is told once, and the answer finds nobody")
  func expiry() {
    var requests = TopicRequests<String>()
    let first = requests.add(.subscribe, "a", deadline: at(10), "A")
    let second = requests.add(.unsubscribe, "b", deadline: at(10), "B")
    _ = requests.add(.subscribe, "c", deadline: at(20), "C")
    requests.ask(first)
    _ = requests.nextBatch()
    #expect(requests.nextDeadline == at(10))
    #expect(requests.expire(now: at(9)).count == 0)
    #expect(requests.end(second) == "B")
    #expect(requests.expire(now: at(10)).map(\.waiter) == ["A"])
    #expect(requests[first] == nil && requests.end(first) == nil)
    #expect(requests.nextDeadline == at(20))
    #expect(requests.removeAll() == ["C"])
    #expect(requests.nextDeadline == nil)
  }

  @Test("a request can be asked once more")
  func again() {
    var requests = TopicRequests<String>()
    let number = requests.add(.subscribe, "a", deadline: at(10), "A")
    requests.ask(number)
    _ = requests.nextBatch()
    requests.answered()
    requests.ask(number)
    #expect(requests.nextBatch().map(\.number) == [number])
  }
}
