//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Topics that are not there, and that are not made.
extension KafkaError {
  static func creating(_ failure: KafkaFailure, topic: String) -> BroadcastError {
    let advice =
      switch failure.code {
      case .clusterAuthorization, .topicAuthorization: rights(failure.code, .create(topic))
      case .invalidTopic:
        " A name in which a dot stands for an underscore of another topic collides with it; ?topic=NAME takes any channel."
      case .invalidReplication: " \(tooFewBrokers)"
      case .invalidPartitions, .invalidSetting:
        " Correct create.partitions and the other options of the URL that begin with create."
      case .policyViolation: " Ask who runs the cluster, or make the topic by other means and add create=false."
      case _ where failure.code.meansTimedOut: adviceForManyTopics
      default: ""
      }
    return error(failure, "Kafka does not make the topic \"\(topic)\"", advice)
  }

  /// Which of both it is no broker tells.
  private static let tooFewBrokers =
    "Brokers may be away or starting: then it passes. If not, ask for fewer replicas by create.replication in the URL, or "
    + "by the cluster's default.replication.factor."

  /// The cluster makes no topics with these settings, whatever their names.
  static func settings(_ failure: KafkaFailure, of newTopics: NewTopics, at servers: KafkaServerAddress)
    -> BroadcastError
  {
    let what = "Kafka at \(servers) makes no topics as the URL wants them"
    if failure.code == .invalidReplication { return error(failure, what, " \(tooFewBrokers)") }
    var options =
      failure.code == .invalidPartitions
      ? ["create.partitions"]
      : newTopics.settings.keys.filter { failure.text.contains($0) }.sorted().map { "create.\($0)" }
    if options.isEmpty { options = ["the options that begin with create."] }
    return error(
      failure, what, " Correct \(options.joined(separator: ", ")) in the URL, or the configuration's newTopics.")
  }
}
