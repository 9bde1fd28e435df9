//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// A subscription that does not begin, or can't go on.
extension KafkaError {
  /// - Parameter hasManyTopics: Each channel is a topic.
  static func subscribing(_ failure: KafkaFailure, topic: String, hasManyTopics: Bool = false) -> BroadcastError {
    let mayBeSlow = hasManyTopics && (failure.code.concernsLeader || failure.code.meansTimedOut)
    return error(
      failure, "Kafka refuses the subscription to the topic \"\(topic)\"",
      failure.code.meansNoRight
        ? rights(failure.code, .subscribe(topic))
        : missing(failure, topic) + (mayBeSlow ? adviceForManyTopics : ""))
  }

  static let adviceForManyTopics =
    " Where hundreds of topics are new at once, a broker may take seconds until it serves them: subscribe to fewer at a time, "
    + "or use one topic for all channels: add ?topic=NAME to the URL."

  static func probeTopic(_ channel: Channel) -> BroadcastError {
    BroadcastError(
      .invalidChannel,
      "The channel \"\(channel)\" is the topic by which the connection checks itself. Name another for that by probe.topic."
    )
  }

  /// - Parameter hasManyTopics: Each channel is a topic.
  static func subscribingTimedOut(_ channel: Channel, after time: Duration, hasManyTopics: Bool) -> BroadcastError {
    BroadcastError(
      .timedOut,
      "Kafka did not tell within \(time) where the messages of \"\(channel)\" end just now."
        + (hasManyTopics ? adviceForManyTopics : ""), isRetriable: true)
  }

  static func endingTimedOut(_ channel: Channel, after time: Duration) -> BroadcastError {
    BroadcastError(
      .timedOut, "The reading of \"\(channel)\" did not end within \(time); nothing of it is handed on.",
      isRetriable: true)
  }

  /// Its subscription has ended, or begins anew.
  static func notRead(_ channel: Channel) -> BroadcastError {
    BroadcastError(.unavailable, "Nothing of \"\(channel)\" is read just now.", isRetriable: true)
  }

  static func catchingUpTimedOut(_ channel: Channel, after time: Duration) -> BroadcastError {
    BroadcastError(
      .timedOut, "What had been published to \"\(channel)\" before was not read within \(time).", isRetriable: true)
  }

  /// librdkafka would need more and more memory.
  static func tooManyTopicsRead(_ limit: Int) -> BroadcastError {
    BroadcastError(
      .unavailable,
      "The connection has read \(limit) topics in its life, and can have no more: it begins anew once half of them are not read. "
        + "Use one topic for all channels: add ?topic=NAME to the URL.", isRetriable: true)
  }

  // MARK: What subscribers are told

  static func vanished(_ topic: String) -> BroadcastError {
    BroadcastError(.unavailable, "The topic \"\(topic)\" has been deleted.", isRetriable: true)
  }

  static func replaced(_ topic: String) -> BroadcastError {
    BroadcastError(
      .unavailable,
      "The topic \"\(topic)\" is another than before, or has lost messages that it had: it was made anew, truncated or "
        + "compacted.",
      isRetriable: true)
  }

  static func expired(_ topic: String) -> BroadcastError {
    BroadcastError(
      .unavailable,
      "The topic \"\(topic)\" no longer has the messages that come next. Its retention is shorter than the connection was away.",
      isRetriable: true)
  }

  /// What a partition has next can't be read.
  ///
  /// - Parameter isLasting: It is left out.
  static func unreadable(
    _ failure: KafkaFailure, topic: String, partition: Int32, isLasting: Bool
  ) -> BroadcastError {
    BroadcastError(
      .refused,
      "What comes next in partition \(partition) of the topic \"\(topic)\" can't be read: \(sentence(failure.text)) "
        + (isLasting
          ? "It is left out, with all that the partition has by now. Can librdkafka read what is published there: its "
            + "compression, and its size (receive.message.max.bytes)?"
          : "It is tried again every second."),
      isRetriable: !isLasting)
  }

  static func noChannel(in topic: String) -> BroadcastError {
    BroadcastError(
      .refused,
      "In the topic \"\(topic)\" there are records without a key, or with one that is no channel's name; they are left out. With "
        + "?topic=NAME the key is the channel.")
  }
}
