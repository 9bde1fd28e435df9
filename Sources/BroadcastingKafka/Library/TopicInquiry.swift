//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a batch of subscriptions and fences has to know: where topics end.
struct TopicInquiry: Sendable {
  struct Answer: Sendable {
    /// The offsets to read from, or what was published to there by now.
    var ends: [String: Result<[Int64], KafkaFailure>] = [:]
    /// Topics that were made for those who ask: all that is in them came after the question.
    var made: Set<String> = []
  }

  /// Topics that are made where they are not there.
  var names: Set<String> = []
  /// Those of them that were made for the same who ask now, and could not be told of as yet.
  var made: Set<String> = []
  /// Topics that are read, and how many partitions of each.
  var known: [String: Int] = [:]
  var newTopics: NewTopics?
  /// Part of it was asked for just now, and could not be told yet.
  var isRepeated = false
  /// What has no answer in this time is to be asked again, so that others have their turn.
  var patience: Duration
  /// To make topics may take until then: a broker answers nothing else on the connection before it has made them.
  var deadlineOfCreation: ContinuousClock.Instant

  /// Blocks.
  func ask(_ inquiries: Inquiries) -> Answer {
    // The thread may have had other questions first.
    let deadline = min(deadlineOfCreation, .now + patience)
    if isRepeated { _ = Inquiries.pause(until: deadline) }
    var answer = Answer()
    var old = known
    var new: [String: Int] = [:]
    if !names.isEmpty {
      (answer, old) = create(inquiries, deadline)
      old.merge(known) { max($0, $1) }
      let there = names.filter { answer.ends[$0] == nil && old[$0] == nil }
      let time = answer.made.isEmpty ? deadline : min(deadlineOfCreation, max(deadline, .now + Self.timeForLeaders))
      let seen =
        there.isEmpty
        ? [:] : inquiries.ready(Array(there), creating: nil, returningEarly: answer.made.isEmpty, until: time)
      for (name, seen) in seen {
        switch seen {
        case .success(let count) where answer.made.contains(name): new[name] = count
        case .success(let count): old[name] = count
        case .failure(let failure): answer.ends[name] = .failure(failure)
        }
      }
    }
    // Others may publish to partitions that were added just now.
    for (name, seen) in inquiries.topics(known.keys.filter { !names.contains($0) }, until: deadline) {
      if case .success(let count) = seen { old[name] = max(count, known[name] ?? 0) }
    }
    if !old.isEmpty {
      let time = max(deadline, .now + Inquiries.timeForAnswer)
      answer.ends.merge(inquiries.ends(old, until: time)) { _, ends in ends }
    }
    // A broker may take seconds until it serves hundreds of new topics. They are read from their beginning, which needs no
    // answer: the time is for those who publish to them at once.
    inquiries.awaitLeaders(new, until: min(deadlineOfCreation, .now + Self.timeForLeaders))
    for (name, count) in new { answer.ends[name] = .success([Int64](repeating: 0, count: count)) }
    return answer
  }

  private static let timeForLeaders = Duration.milliseconds(1_500)

  /// Returns what came of it, and the topics that were there.
  private func create(
    _ inquiries: Inquiries, _ deadline: ContinuousClock.Instant
  ) -> (answer: Answer, there: [String: Int]) {
    var answer = Answer(made: made)
    guard let newTopics else { return (answer, [:]) }
    let seen = inquiries.topics(Array(names), until: max(deadline, .now + Inquiries.timeForAnswer))
    // With a topic that was made for the same who ask now its leaders are waited for.
    let there = seen.compactMapValues { try? $0.get() }.filter { $0.value > 0 && !made.contains($0.key) }
    let creation = inquiries.create(
      seen.filter { $0.value.isMissing }.map(\.key), as: newTopics, until: deadlineOfCreation)
    answer.made.formUnion(creation.made)
    for (name, failure) in creation.refused {
      var failure = failure
      failure.concernsCreation = true
      answer.ends[name] = .failure(failure)
    }
    return (answer, there)
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
  /// Any topic: with the answer comes the cluster's name. Nil where that is not asked for.
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
    if let anyTopic { _ = inquiries.topics([anyTopic], until: deadline) }
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
