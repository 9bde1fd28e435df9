//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// A message that is not published.
extension KafkaError {
  /// - Parameters:
  ///   - outcome: What became of the message.
  ///   - isOneOfMany: Whether others went with it, and failed with it.
  static func publishing(
    _ failure: KafkaFailure, topic: String, _ outcome: BroadcastError.Outcome, isOneOfMany: Bool = false
  ) -> BroadcastError {
    if failure.concernsCreation { return creating(failure, topic: topic).with(outcome: outcome) }
    switch failure.code {
    case .messageTooLarge where isOneOfMany, .recordListTooLarge where isOneOfMany:
      // The library divides no batch. Which of its messages was too much is not known.
      return BroadcastError(
        .unavailable,
        "Messages that went together are larger than the topic \"\(topic)\" takes at once: \(sentence(failure.text)) Raise "
          + "the topic's max.message.bytes, or add batch.size to the URL with less than that.", isRetriable: true,
        outcome: .notSent)
    case .messageTooLarge, .recordListTooLarge:
      return BroadcastError(
        .messageTooLarge,
        "The message is larger than the topic \"\(topic)\" takes: \(sentence(failure.text)) Raise the topic's "
          + "max.message.bytes, or publish less at once.", outcome: .notSent)
    case _ where failure.code.meansTimedOut:
      return BroadcastError(
        .timedOut,
        "Kafka did not answer in time for the topic \"\(topic)\": \(sentence(failure.text)) Is the leader of the partition "
          + "there, and do enough replicas follow?", isRetriable: true, outcome: outcome)
    case .notEnoughReplicas, .notEnoughReplicasAfterAppend:
      return BroadcastError(
        .unavailable,
        "The topic \"\(topic)\" has fewer replicas in sync than its min.insync.replicas: \(sentence(failure.text))",
        isRetriable: true, outcome: outcome)
    default:
      let advice = failure.code.meansNoRight ? rights(failure.code, .publish(topic)) : missing(failure, topic)
      return error(failure, "Kafka does not take the message for the topic \"\(topic)\"", advice).with(outcome: outcome)
    }
  }

  /// The producer can't go on, and does not tell what became of the message.
  static func publisherLost(_ failure: KafkaFailure) -> BroadcastError {
    BroadcastError(
      .unavailable, "What publishes to Kafka can't go on, and begins anew: \(sentence(failure.text))",
      isRetriable: true, outcome: .unconfirmed)
  }

  static func publishingTimedOut(after time: Duration, _ outcome: BroadcastError.Outcome) -> BroadcastError {
    BroadcastError(
      .timedOut, "Kafka did not answer for the message within \(time).", isRetriable: true, outcome: outcome)
  }

  /// Too many topics wait to be asked for.
  static func tooManyTopics(_ limit: Int) -> BroadcastError {
    BroadcastError(
      .unavailable,
      "\(limit) topics wait already for the cluster to say where they are. Publish to fewer new ones at once, or use one topic "
        + "for all channels: add ?topic=NAME to the URL.", isRetriable: true, outcome: .notSent)
  }
}
