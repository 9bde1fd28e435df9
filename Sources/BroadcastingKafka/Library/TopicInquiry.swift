//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a batch of subscriptions and fences has to know: where topics end.
struct TopicInquiry: Sendable {
  /// Topics that are made where they are not there.
  var names: Set<String> = []
  /// Topics of which so many partitions are known.
  var known: [String: Int] = [:]
  var newTopics: NewTopics?
  /// Part of it was asked for just now, and could not be told yet.
  var isRepeated = false
  var deadline: ContinuousClock.Instant

  /// Blocks.
  func ask(_ inquiries: Inquiries) -> [String: Result<[Int64], KafkaFailure>] {
    if isRepeated { _ = Inquiries.pause(until: deadline) }
    var answers: [String: Result<[Int64], KafkaFailure>] = [:]
    var partitions = known
    if !names.isEmpty {
      for (name, answer) in inquiries.ready(Array(names), creating: newTopics, until: deadline) {
        switch answer {
        case .success(let count): partitions[name] = count
        case .failure(let failure): answers[name] = .failure(failure)
        }
      }
    }
    if partitions.isEmpty { return answers }
    return inquiries.ends(partitions, until: deadline).merging(answers) { ends, _ in ends }
  }
}

/// A look at the topics that are read.
struct TopicLook: Sendable {
  struct Seen: Sendable {
    /// The partitions of each topic that the consumer knows.
    var topics: Result<[String: Result<Int, KafkaFailure>], KafkaFailure>
    var bounds: [String: Result<[Range<Int64>], KafkaFailure>] = [:]
    var clusterID: String?
  }

  /// Of topics whose place is to be verified.
  var positions: [String: [Int64]]
  /// Any topic that is there: with the answer comes the cluster's name.
  var anyTopic: String?

  private static let timeForTopics = Duration.seconds(2)
  private static let timeForBounds = Duration.seconds(1)
  /// A leader that has just become it may take so long to know all that its predecessor had told.
  private static let timeOfNewLeader = Duration.milliseconds(250)

  /// Blocks.
  func look(_ inquiries: Inquiries) -> Seen {
    let deadline = ContinuousClock.now + Self.timeForTopics
    var seen = Seen(topics: inquiries.known(until: deadline))
    guard case .success(var topics) = seen.topics else { return seen }
    let missing = topics.filter { $0.value.isMissing }.map(\.key)
    if !missing.isEmpty {
      // A broker that has just started may not know of all topics as yet.
      for _ in 0..<5 { _ = Inquiries.pause(until: deadline) }
      topics.merge(inquiries.topics(missing, until: deadline)) { _, second in second }
      seen.topics = .success(topics)
    }
    if let anyTopic, !positions.isEmpty { _ = inquiries.topics([anyTopic], until: deadline) }
    seen.clusterID = inquiries.clusterID()
    // What is gone would take all the time.
    let suspects = positions.filter { name, positions in
      guard case .success(let count) = topics[name] else { return false }
      return count >= positions.count
    }
    seen.bounds = bounds(suspects, inquiries)
    return seen
  }

  private func bounds(
    _ suspects: [String: [Int64]], _ inquiries: Inquiries
  ) -> [String: Result<[Range<Int64>], KafkaFailure>] {
    if suspects.isEmpty { return [:] }
    let deadline = ContinuousClock.now + Self.timeForBounds
    let bounds = inquiries.bounds(suspects.mapValues(\.count), until: deadline)
    let shorter = suspects.filter { name, positions in
      guard case .success(let bounds) = bounds[name] else { return false }
      return zip(positions, bounds).contains { $0 > $1.upperBound }
    }
    if shorter.isEmpty { return bounds }
    let again = ContinuousClock.now + Self.timeOfNewLeader
    while Inquiries.pause(until: again) {}
    return bounds.merging(inquiries.bounds(shorter.mapValues(\.count), until: .now + Self.timeForBounds)) { $1 }
  }
}

extension Result<Int, KafkaFailure> {
  fileprivate var isMissing: Bool {
    guard case .failure(let failure) = self else { return false }
    return failure.code.meansUnknownTopic
  }
}
