//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingKafka

@Suite("What a look at the cluster says")
struct TopicWatchTests {
  @Test("new partitions are told, fewer are another topic, none are one in the making")
  func partitions() {
    let watch = TopicWatch()
    #expect(watch.seen(.success(3), known: 3) == nil)
    #expect(watch.seen(.success(5), known: 3) == .newPartitions(3..<5))
    #expect(watch.seen(.success(2), known: 3) == .vanished)
    #expect(watch.seen(.success(0), known: 3) == nil)
  }

  @Test("a topic that is gone, or may not be read any more, is told; other failures say nothing of it")
  func failures() {
    let watch = TopicWatch()
    #expect(watch.seen(.failure(KafkaFailure(.unknownTopicOrPartition)), known: 3) == .vanished)
    let refusal = KafkaFailure(.topicAuthorization)
    #expect(watch.seen(.failure(refusal), known: 3) == .refused(refusal))
    #expect(watch.seen(.failure(KafkaFailure(.timedOut)), known: 3) == nil)
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
