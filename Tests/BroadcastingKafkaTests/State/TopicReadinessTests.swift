//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingBroker
import Testing

@testable import BroadcastingKafka
@testable import BroadcastingNetwork

@Suite("Topics that are made ready before something is published to them")
struct TopicReadinessTests {
  private let forbidden = KafkaFailure(.topicAuthorization, "no")
  private let late = KafkaFailure(.timedOut, "late")

  private func at(_ milliseconds: UInt64) -> LoopInstant { LoopInstant(milliseconds: milliseconds) }

  /// Those that can go are their numbers, those that fail are negative.
  private func tokens(_ releases: [TopicReadiness.Release]) -> [Int] {
    releases.map { $0.failure == nil ? Int($0.token) : -Int($0.token) }
  }

  @Test("a topic is asked for once, and then its calls go in their order")
  func once() {
    var topics = TopicReadiness()
    #expect(topics.wants(["a"], 1, now: at(0)) == .waiting(ask: ["a"]))
    #expect(topics.wants(["a"], 2, now: at(0)) == .waiting(ask: []))
    #expect(topics.hasWaiting)
    #expect(tokens(topics.answered("a", .success(3), now: at(1))) == [1, 2])
    #expect(!topics.hasWaiting)
    #expect(topics.wants(["a"], 3, now: at(2)) == .ready)
    #expect(topics.answered("a", .success(3), now: at(3)).isEmpty)
  }

  @Test("a call to several topics waits for all of them, and others pass it")
  func several() {
    var topics = TopicReadiness()
    #expect(topics.wants(["a", "b"], 1, now: at(0)) == .waiting(ask: ["a", "b"]))
    #expect(topics.wants(["c"], 2, now: at(0)) == .waiting(ask: ["c"]))
    #expect(tokens(topics.answered("a", .success(1), now: at(1))) == [])
    #expect(tokens(topics.answered("c", .success(1), now: at(1))) == [2])
    #expect(tokens(topics.answered("b", .success(1), now: at(1))) == [1])
  }

  @Test("what comes later for a topic does not pass a call that waits for another one as well")
  func order() {
    var topics = TopicReadiness()
    _ = topics.wants(["a"], 1, now: at(0))
    _ = topics.answered("a", .success(1), now: at(0))
    #expect(topics.wants(["a", "b"], 2, now: at(1)) == .waiting(ask: ["b"]))
    #expect(topics.wants(["a"], 3, now: at(1)) == .waiting(ask: []))
    #expect(topics.wants(["b", "a"], 4, now: at(1)) == .waiting(ask: []))
    #expect(topics.wants(["b"], 5, now: at(1)) == .waiting(ask: []))
    #expect(tokens(topics.answered("b", .success(1), now: at(2))).sorted() == [2, 3, 4, 5])
    #expect(topics.wants(["a"], 6, now: at(3)) == .ready)
  }

  @Test("a topic that can't be had fails its calls alone, and those behind them go on")
  func failure() {
    var topics = TopicReadiness()
    _ = topics.wants(["a", "b"], 1, now: at(0))
    _ = topics.wants(["a"], 2, now: at(0))
    #expect(tokens(topics.answered("a", .success(1), now: at(1))) == [])
    #expect(tokens(topics.answered("b", .failure(late), now: at(1))) == [-1, 2])
    #expect(topics.wants(["b"], 3, now: at(2)) == .waiting(ask: ["b"]))
  }

  @Test("a refusal holds for a moment, a failure that may pass does not")
  func memory() {
    var topics = TopicReadiness()
    _ = topics.wants(["a"], 1, now: at(0))
    #expect(tokens(topics.answered("a", .failure(forbidden), now: at(100))) == [-1])
    #expect(topics.wants(["b", "a"], 2, now: at(1_099)) == .refused("a", forbidden))
    #expect(!topics.hasWaiting)
    #expect(topics.wants(["a"], 3, now: at(1_100)) == .waiting(ask: ["a"]))
  }

  @Test("a topic that vanishes is asked for again, but not at once a second time")
  func vanished() {
    var topics = TopicReadiness()
    _ = topics.wants(["a"], 1, now: at(0))
    _ = topics.answered("a", .success(1), now: at(0))
    let first = topics.vanished("a", now: at(5_000))
    #expect(first == .init(isAgain: false, asks: false))
    #expect(topics.wants(["a"], 2, now: at(5_000)) == .waiting(ask: ["a"]))
    #expect(tokens(topics.answered("a", .success(1), now: at(5_001))) == [2])
    let second = topics.vanished("a", now: at(5_002))
    #expect(second == .init(isAgain: true, asks: false))
  }

  @Test("a topic that vanishes while a call waits for another one as well is asked for at once")
  func vanishedBehind() {
    var topics = TopicReadiness()
    _ = topics.wants(["a"], 1, now: at(0))
    _ = topics.answered("a", .success(1), now: at(0))
    #expect(topics.wants(["a", "b"], 2, now: at(5_000)) == .waiting(ask: ["b"]))
    let first = topics.vanished("a", now: at(5_000))
    #expect(first == .init(isAgain: false, asks: true))
    let second = topics.vanished("a", now: at(5_001))
    #expect(second == .init(isAgain: false, asks: false))
    #expect(topics.wants(["a"], 3, now: at(5_002)) == .waiting(ask: []))
    #expect(tokens(topics.answered("b", .success(1), now: at(5_003))) == [])
    #expect(tokens(topics.answered("a", .success(1), now: at(5_004))).sorted() == [2, 3])
    #expect(topics.wants(["a"], 4, now: at(5_005)) == .ready)
  }

  @Test("only so many are asked for at a time")
  func limit() {
    var topics = TopicReadiness()
    for number in 0..<TopicReadiness.maximumAsked {
      #expect(topics.wants(["\(number)"], UInt64(number + 1), now: at(0)) == .waiting(ask: ["\(number)"]))
    }
    #expect(topics.wants(["more"], 9_999, now: at(0)) == .full)
    #expect(topics.wants(["7"], 10_000, now: at(0)) == .waiting(ask: []))
    #expect(tokens(topics.answered("7", .success(1), now: at(1))) == [8, 10_000])
    #expect(topics.wants(["more"], 9_999, now: at(1)) == .waiting(ask: ["more"]))
  }

  @Test("for another producer all are asked for again, with those who wait in their order")
  func anew() {
    var topics = TopicReadiness()
    _ = topics.wants(["ready"], 1, now: at(0))
    _ = topics.answered("ready", .success(1), now: at(0))
    _ = topics.wants(["a", "ready"], 2, now: at(1))
    _ = topics.wants(["ready"], 3, now: at(1))
    #expect(topics.startAnew().sorted() == ["a", "ready"])
    #expect(topics.wants(["a"], 4, now: at(2)) == .waiting(ask: []))
    #expect(tokens(topics.answered("a", .success(1), now: at(3))) == [])
    #expect(tokens(topics.answered("ready", .success(1), now: at(3))) == [2, 3, 4])
  }

  @Test("thousands that wait for one topic go without each looking at all")
  func many() {
    var topics = TopicReadiness()
    let all = (1...20_000).map { $0 }
    for number in all { _ = topics.wants(["a"], UInt64(number), now: at(0)) }
    #expect(tokens(topics.answered("a", .success(1), now: at(1))) == all)
  }
}
