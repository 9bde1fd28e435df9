//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension Inquiries {
  private static let timeForTrial = Duration.seconds(1)

  /// Why the cluster would make no topic so: it is asked, and makes none. Nil where it would, or does not tell, as without the
  /// right to make topics.
  ///
  /// - Parameter name: What the topic would be called, with something behind it.
  func refusal(
    of newTopics: NewTopics, like name: String, until deadline: ContinuousClock.Instant
  ) -> KafkaFailure? {
    let trial = "\(name.prefix(TopicName.maximumBytes - 6)).trial"
    let creation = create([trial], as: newTopics, isTrial: true, until: min(deadline, .now + Self.timeForTrial))
    guard let failure = creation.refused[trial] else { return nil }
    switch failure.code {
    case .invalidSetting, .invalidPartitions, .invalidReplication: return failure
    default: return nil
    }
  }
}
