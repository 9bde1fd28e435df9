//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// What a session reads: subscriptions and their topics, and what arrives.
// Sendable: all of it is touched on the loop alone.
final class ListeningSide: @unchecked Sendable {
  typealias Waiter = UnsafeContinuation<BroadcastError?, Never>
  enum Kind: Sendable { case subscribe, unsubscribe, catchUp }

  struct Session {
    var inbox: DriverInbox
    /// Called with the number of a probe that has arrived.
    var probeArrived: (UInt64) -> Void
    /// Called when anything has arrived.
    var heard: () -> Void
    /// Called with news of messages that are left out: once, however many those are.
    var leftOut: (BroadcastError) -> Void
    /// Another cluster answers than before: the session is to end.
    var clusterChanged: () -> Void
  }

  /// - Parameters:
  ///   - asking: Does what callers wait for.
  ///   - watching: Looks after the topics.
  ///   - inquiries: What to ask by at the moment: a session may replace its producer.
  ///   - sharedTopic: The one for all channels; nil: each is a topic.
  ///   - timeout: Of subscriptions, for the words of an error.
  init(
    _ consumer: ConsumerHandle, asking: KafkaThread, watching: KafkaThread, _ inquiries: @escaping () -> Inquiries,
    sharedTopic: String?, newTopics: NewTopics?, timeout: Duration, _ session: Session, on loop: EventLoop
  ) {}

  /// Reads probes: records with this key, whose values are numbers.
  func startProbe(_ topic: String, partition: Int32, at offset: Int64, key: [UInt8]) throws(KafkaFailure) {}

  /// The waiter gets nil, or why it has not come to pass.
  func ask(_ kind: Kind, _ channel: Channel, deadline: LoopInstant, _ waiter: Waiter) {}

  /// There may be records.
  func recordsWait() {}

  /// The library's error callback, which comes within a read: some topic may have come to harm.
  func hint() {}

  /// Looks at the topics: new partitions are read, and vanished topics told. For each 5 s.
  func refresh() {}

  /// Checks that all goes on where it was. Calls back with false where nobody answered.
  func verify(_ done: @escaping (Bool) -> Void) {}

  var nextDeadline: LoopInstant? { nil }
  func expire(now: LoopInstant) {}

  /// Ends all who wait. Nothing is called back after it.
  func close(because error: BroadcastError) {}
}
