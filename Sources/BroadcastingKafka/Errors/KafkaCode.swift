//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// An error code of Kafka: those of brokers are 0 and above (protocol guide, "Error Codes"), those of librdkafka below -1
/// (rdkafka.h, `rd_kafka_resp_err_t`).
struct KafkaCode: RawRepresentable, Hashable, Sendable {
  var rawValue: Int32

  // MARK: librdkafka's own

  static let allBrokersDown = KafkaCode(rawValue: -187)
  static let authentication = KafkaCode(rawValue: -169)
  /// An offset is outside of what the partition has.
  static let autoOffsetReset = KafkaCode(rawValue: -140)
  /// The broker's answers can't be understood, as it is too old or something else.
  static let badMessage = KafkaCode(rawValue: -199)
  static let connectionSetUp = KafkaCode(rawValue: -196)
  /// The handle is being destroyed.
  static let destroyed = KafkaCode(rawValue: -197)
  /// No message was left when the broker was last asked.
  static let endOfPartition = KafkaCode(rawValue: -191)
  /// The producer can't go on; a new one can.
  static let fatal = KafkaCode(rawValue: -150)
  static let inProgress = KafkaCode(rawValue: -178)
  static let invalidArgument = KafkaCode(rawValue: -186)
  static let messageTimedOut = KafkaCode(rawValue: -192)
  /// Taken out of the queue: never sent.
  static let purgedInQueue = KafkaCode(rawValue: -152)
  /// Taken out while a request was out with it.
  static let purgedInFlight = KafkaCode(rawValue: -151)
  static let queueFull = KafkaCode(rawValue: -184)
  static let resolve = KafkaCode(rawValue: -193)
  static let ssl = KafkaCode(rawValue: -181)
  static let timedOut = KafkaCode(rawValue: -185)
  /// Before it was sent.
  static let timedOutInQueue = KafkaCode(rawValue: -166)
  static let transport = KafkaCode(rawValue: -195)
  static let unknownPartition = KafkaCode(rawValue: -190)
  static let unknownTopic = KafkaCode(rawValue: -188)
  /// The library is about to ask.
  static let waitsForMetadata = KafkaCode(rawValue: -164)

  // MARK: A broker's

  static let none = KafkaCode(rawValue: 0)
  static let offsetOutOfRange = KafkaCode(rawValue: 1)
  /// The bytes were damaged on their way.
  static let corruptMessage = KafkaCode(rawValue: 2)
  static let unknownTopicOrPartition = KafkaCode(rawValue: 3)
  static let leaderNotAvailable = KafkaCode(rawValue: 5)
  static let notLeader = KafkaCode(rawValue: 6)
  static let requestTimedOut = KafkaCode(rawValue: 7)
  static let brokerNotAvailable = KafkaCode(rawValue: 8)
  static let replicaNotAvailable = KafkaCode(rawValue: 9)
  static let messageTooLarge = KafkaCode(rawValue: 10)
  static let networkException = KafkaCode(rawValue: 13)
  static let coordinatorLoading = KafkaCode(rawValue: 14)
  static let coordinatorNotAvailable = KafkaCode(rawValue: 15)
  static let notCoordinator = KafkaCode(rawValue: 16)
  static let invalidTopic = KafkaCode(rawValue: 17)
  static let recordListTooLarge = KafkaCode(rawValue: 18)
  static let notEnoughReplicas = KafkaCode(rawValue: 19)
  static let notEnoughReplicasAfterAppend = KafkaCode(rawValue: 20)
  static let topicAuthorization = KafkaCode(rawValue: 29)
  static let groupAuthorization = KafkaCode(rawValue: 30)
  static let clusterAuthorization = KafkaCode(rawValue: 31)
  static let saslHandshake = KafkaCode(rawValue: 33)
  static let topicExists = KafkaCode(rawValue: 36)
  static let invalidPartitions = KafkaCode(rawValue: 37)
  /// Fewer brokers are there than a topic is to have replicas: too few for good, or too few just now.
  static let invalidReplication = KafkaCode(rawValue: 38)
  static let invalidSetting = KafkaCode(rawValue: 40)
  static let notController = KafkaCode(rawValue: 41)
  static let outOfOrderSequence = KafkaCode(rawValue: 45)
  static let invalidProducerEpoch = KafkaCode(rawValue: 47)
  static let unknownProducer = KafkaCode(rawValue: 59)
  static let policyViolation = KafkaCode(rawValue: 44)
  static let storageFailed = KafkaCode(rawValue: 56)
  static let listenerNotFound = KafkaCode(rawValue: 72)
  static let fencedLeaderEpoch = KafkaCode(rawValue: 74)
  static let unknownLeaderEpoch = KafkaCode(rawValue: 75)
  static let offsetNotAvailable = KafkaCode(rawValue: 78)
  static let throttlingQuotaExceeded = KafkaCode(rawValue: 89)
  static let unknownTopicID = KafkaCode(rawValue: 100)
  static let inconsistentTopicID = KafkaCode(rawValue: 103)

  // MARK: What they mean

  /// Whether a partition has no leader just now, or another than was thought: soon it is known again.
  var concernsLeader: Bool {
    switch self {
    case .leaderNotAvailable, .notLeader, .replicaNotAvailable, .brokerNotAvailable, .listenerNotFound,
      .fencedLeaderEpoch, .unknownLeaderEpoch, .offsetNotAvailable:
      true
    default: false
    }
  }

  /// Whether there is no such topic or partition, as far as who says so knows.
  var meansUnknownTopic: Bool {
    switch self {
    case .unknownTopic, .unknownPartition, .unknownTopicOrPartition: true
    default: false
    }
  }

  /// Whether a right is missing.
  var meansNoRight: Bool {
    switch self {
    case .topicAuthorization, .groupAuthorization, .clusterAuthorization: true
    default: false
    }
  }

  /// Whether librdkafka goes on refusing messages to the topic because of it, until it is asked for the topic again.
  var sticksToTopic: Bool { meansUnknownTopic || meansNoRight }

  /// Whether time ran out.
  var meansTimedOut: Bool {
    switch self {
    case .timedOut, .messageTimedOut, .requestTimedOut, .timedOutInQueue: true
    default: false
    }
  }

  /// Whether the log-in, or what secures the connection, was refused: the next attempt ends the same way.
  var concernsLogin: Bool {
    switch self {
    case .authentication, .saslHandshake, .ssl: true
    default: false
    }
  }

  /// Whether the same may succeed later without a change.
  var isRetriable: Bool {
    if concernsLeader || meansUnknownTopic || meansTimedOut { return true }
    switch self {
    case .transport, .allBrokersDown, .resolve, .connectionSetUp, .queueFull, .fatal, .destroyed, .purgedInQueue,
      .purgedInFlight, .outOfOrderSequence, .invalidProducerEpoch, .unknownProducer, .networkException,
      .notEnoughReplicas, .notEnoughReplicasAfterAppend, .notController, .storageFailed, .throttlingQuotaExceeded,
      .corruptMessage, .coordinatorLoading, .coordinatorNotAvailable, .notCoordinator, .unknownTopicID,
      .inconsistentTopicID, .inProgress, .waitsForMetadata, .invalidReplication:
      return true
    default: return false
    }
  }
}

/// What went wrong, in the words of librdkafka or a broker.
struct KafkaFailure: Error, Sendable, Equatable {
  var code: KafkaCode
  var text: String
  /// Whether it is about a topic that was to be made.
  var concernsCreation = false
  /// There is no such topic, and nothing here makes it.
  private(set) var isForGood = false

  /// Whether the same may succeed later without a change.
  var isRetriable: Bool { code.isRetriable && !isForGood }

  /// - Parameter newTopics: Nil: who waits for the topic waits in vain.
  func lasting(unless newTopics: NewTopics?) -> KafkaFailure {
    var failure = self
    failure.isForGood = newTopics == nil && code.meansUnknownTopic
    return failure
  }

  init(_ code: KafkaCode, _ text: String) {
    self.code = code
    self.text = text
  }

  /// A call on a handle that has been destroyed.
  static let destroyed = KafkaFailure(.destroyed, "The connection is closed.")
}
