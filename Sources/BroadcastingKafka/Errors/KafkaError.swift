//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The errors of a Kafka backend. None holds a password.
enum KafkaError {
  // MARK: The connection

  /// There is no session to be had.
  static func connecting(_ failure: KafkaFailure, to servers: KafkaServerAddress, _ library: LibraryVersion = .current)
    -> BroadcastError
  {
    let what = "Kafka at \(servers)"
    let words = sentence(failure.text)
    switch failure.code {
    case .authentication, .saslHandshake:
      return BroadcastError(.refused, "\(what) refuses the login: \(words) \(login(failure.text, library))")
    case .ssl:
      return BroadcastError(
        .refused,
        "\(what) gives no secure connection: \(words) Whom to trust is in ssl.ca.location; the name in the certificate must be "
          + "the one in the URL, and those which the brokers advertise.")
    case .resolve:
      return BroadcastError(
        .unavailable, "\(what) cannot be reached: \(words) Is the host right?", isRetriable: true)
    case .invalidArgument:
      return BroadcastError(.refused, "A connection to Kafka at \(servers) can't be made: \(words)")
    case _ where failure.code.meansTimedOut:
      return BroadcastError(
        .timedOut,
        "\(what) did not answer in time: \(words) Are host and port right, and can the addresses be reached from here that the "
          + "brokers advertise (advertised.listeners)?", isRetriable: true)
    default:
      return BroadcastError(
        failure.code.isRetriable ? .unavailable : .refused,
        "\(what) cannot be reached: \(words)\(hint(failure.text))\(rights(failure.code, .connect))",
        isRetriable: failure.code.isRetriable)
    }
  }

  /// A session is without its brokers for now, and goes on once they are back.
  static func suspended(_ failure: KafkaFailure, at servers: KafkaServerAddress) -> BroadcastError {
    if failure.code.concernsLogin { return connecting(failure, to: servers) }
    return BroadcastError(
      failure.code.meansTimedOut ? .timedOut : .unavailable,
      "The connection to Kafka at \(servers) is lost: \(sentence(failure.text)) It goes on where it was once a broker answers.",
      isRetriable: true)
  }

  static func silent(_ servers: KafkaServerAddress, isNew: Bool) -> BroadcastError {
    let text =
      isNew
      ? "Kafka at \(servers) took a first probe, and then it did not arrive."
      : "Kafka at \(servers) answers no more, or delivers no more: a probe did not arrive in time."
    return BroadcastError(.timedOut, text, isRetriable: true)
  }

  static func probing(_ failure: KafkaFailure, topic: String, at servers: KafkaServerAddress) -> BroadcastError {
    let rights = failure.code.meansNoRight ? rights(failure.code, .probe(topic)) : missing(failure.code, topic)
    return error(failure, "Kafka at \(servers) refuses the probe of the connection in the topic \"\(topic)\"", rights)
  }

  static func exchanged(_ servers: KafkaServerAddress) -> BroadcastError {
    BroadcastError(
      .unavailable,
      "What answers at \(servers) is another cluster than before; where reading was means nothing there.",
      isRetriable: true)
  }

  // MARK: Calls

  /// - Parameter hasManyTopics: Each channel is a topic.
  static func subscribing(_ failure: KafkaFailure, topic: String, hasManyTopics: Bool = false) -> BroadcastError {
    let mayBeSlow = hasManyTopics && (failure.code.concernsLeader || failure.code.meansTimedOut)
    return error(
      failure, "Kafka refuses the subscription to the topic \"\(topic)\"",
      failure.code.meansNoRight
        ? rights(failure.code, .subscribe(topic))
        : missing(failure.code, topic) + (mayBeSlow ? adviceForManyTopics : ""))
  }

  private static let adviceForManyTopics =
    " Where hundreds of topics are new at once, a broker may take seconds until it serves them: subscribe to fewer at a time, "
    + "or use one topic for all channels: add ?topic=NAME to the URL."

  static func probeTopic(_ channel: Channel) -> BroadcastError {
    BroadcastError(
      .invalidChannel,
      "The channel \"\(channel)\" is the topic by which the connection checks itself. Name another for that by probe.topic."
    )
  }

  static func creating(_ failure: KafkaFailure, topic: String) -> BroadcastError {
    let advice =
      switch failure.code {
      case .clusterAuthorization, .topicAuthorization: rights(failure.code, .create(topic))
      case .invalidTopic:
        " A name in which a dot stands for an underscore of another topic collides with it; ?topic=NAME takes any channel."
      case .invalidPartitions, .invalidReplication, .invalidSetting:
        " Correct create.partitions, create.replication and the other options of the URL that begin with create."
      case .policyViolation: " Ask who runs the cluster, or make the topic by other means and add create=false."
      case _ where failure.code.meansTimedOut: adviceForManyTopics
      default: ""
      }
    return error(failure, "Kafka does not make the topic \"\(topic)\"", advice)
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

  /// - Parameters:
  ///   - outcome: What became of the message.
  ///   - isOneOfMany: Whether others went with it, and failed with it.
  static func publishing(
    _ failure: KafkaFailure, topic: String, _ outcome: BroadcastError.Outcome, isOneOfMany: Bool = false
  ) -> BroadcastError {
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
      let advice = failure.code.meansNoRight ? rights(failure.code, .publish(topic)) : missing(failure.code, topic)
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
      "The topic \"\(topic)\" is another than before, or has lost messages that it had: it was made anew or truncated.",
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

  // MARK: Words

  private enum Action {
    case connect
    case probe(String)
    case subscribe(String)
    case create(String)
    case publish(String)
  }

  private static func rights(_ code: KafkaCode, _ action: Action) -> String {
    guard code.meansNoRight else { return "" }
    switch action {
    case .connect: return " Give the user the rights to the cluster."
    case .probe(let topic):
      return
        " Give the user the rights Describe, Read and Write to the topic \"\(topic)\", and Create where it is not there yet; "
        + "or name another by probe.topic."
    case .subscribe(let topic): return " Give the user the rights Describe and Read to the topic \"\(topic)\"."
    case .create(let topic):
      return
        " Give the user the right Create to the topic \"\(topic)\" or the cluster, or make the topic by other means."
    case .publish(let topic):
      return
        " Give the user the rights Describe and Write to the topic \"\(topic)\"; brokers before 2.8 want IdempotentWrite to "
        + "the cluster too."
    }
  }

  private static func missing(_ code: KafkaCode, _ topic: String) -> String {
    code.meansUnknownTopic
      ? " Make the topic \"\(topic)\", or let it be made: without create=false in the URL." : ""
  }

  private static func login(_ text: String, _ library: LibraryVersion) -> String {
    var advice = "Check user and password in the URL; %, @, : and / in them are written as %25, %40, %3A and %2F."
    if text.contains("handshake failed") || text.contains("supported mechanisms") {
      advice = "Set sasl.mechanism to one that the broker has."
    } else if library.hasOldSCRAM {
      advice +=
        " With SCRAM there may be another cause: Kafka 4 refuses right passwords of librdkafka before 2.6.1, and here it is "
        + "\(library). Update it, or use PLAIN over TLS."
    }
    return advice
  }

  /// What librdkafka guesses itself is in its words.
  private static func hint(_ text: String) -> String {
    text.contains("security.protocol")
      ? " With TLS the URL needs security.protocol=ssl, with a user as well sasl_ssl." : ""
  }

  private static func error(_ failure: KafkaFailure, _ what: String, _ advice: String) -> BroadcastError {
    BroadcastError(
      failure.code.meansTimedOut ? .timedOut : failure.code.isRetriable ? .unavailable : .refused,
      "\(what): \(sentence(failure.text))\(advice)", isRetriable: failure.code.isRetriable)
  }

  private static let maximumCharacters = 300

  /// Makes a sentence of the library's words: one line without control characters, which a terminal would obey.
  static func sentence(_ words: String) -> String {
    var line = String.UnicodeScalarView()
    for scalar in words.unicodeScalars { line.append(scalar.properties.generalCategory == .control ? " " : scalar) }
    var text = Substring(String(line))
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    if text.isEmpty { return "No reason is given." }
    if text.count > maximumCharacters { return text.prefix(maximumCharacters) + "…" }
    return text.last.map { ".!?…".contains($0) } == true ? String(text) : text + "."
  }
}
