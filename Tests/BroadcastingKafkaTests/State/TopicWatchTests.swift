//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingKafka
@testable import BroadcastingNetwork

@Suite("What looks at the cluster say")
struct TopicWatchTests {
  private func at(_ milliseconds: UInt64) -> LoopInstant { LoopInstant(milliseconds: milliseconds) }

  @Test("new partitions are told, none are a topic in the making")
  func partitions() {
    var watch = TopicWatch()
    #expect(watch.seen(0, .success(3), known: 3, now: at(0)) == nil)
    #expect(watch.seen(0, .success(5), known: 3, now: at(0)) == .newPartitions(3..<5))
    #expect(watch.seen(0, .success(0), known: 3, now: at(0)) == nil)
  }

  @Test(
    "a topic that is gone, or is another with fewer partitions, is told once a later look says the same",
    arguments: [Result<Int, KafkaFailure>.success(2), .failure(KafkaFailure(.unknownTopicOrPartition))])
  func vanished(answer: Result<Int, KafkaFailure>) {
    var watch = TopicWatch()
    #expect(watch.seen(0, answer, known: 3, now: at(0)) == .missing)
    #expect(watch.seen(0, answer, known: 3, now: at(999)) == .missing)
    #expect(watch.seen(1, answer, known: 3, now: at(1_000)) == .missing)
    #expect(watch.seen(0, answer, known: 3, now: at(1_000)) == .vanished)
    #expect(watch.seen(1, .success(3), known: 3, now: at(1_500)) == nil)
    #expect(watch.seen(1, answer, known: 3, now: at(2_000)) == .missing)
    watch.forget(1)
    #expect(watch.seen(1, answer, known: 3, now: at(9_000)) == .missing)
  }

  @Test("a topic that may not be read any more is told; other failures say nothing of it")
  func failures() {
    var watch = TopicWatch()
    let refusal = KafkaFailure(.topicAuthorization)
    #expect(watch.seen(0, .failure(refusal), known: 3, now: at(0)) == .refused(refusal))
    #expect(watch.seen(0, .failure(KafkaFailure(.timedOut)), known: 3, now: at(0)) == nil)
  }

  @Test("another cluster is told, one that has not said its name is none")
  func cluster() {
    var watch = TopicWatch()
    #expect(watch.isOther(nil) == false)
    #expect(watch.isOther("a") == false)
    #expect(watch.isOther(nil) == false)
    #expect(watch.isOther("a") == false)
    #expect(watch.isOther("b") == true)
  }
}
