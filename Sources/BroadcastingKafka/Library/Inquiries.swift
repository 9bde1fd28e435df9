//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CRdkafka

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Questions to the cluster, which block until it answers: for a ``KafkaThread``.
struct Inquiries: Sendable {
  let producer: KafkaHandle
  private let consumer: KafkaHandle?

  init(_ producer: ProducerHandle, _ consumer: ConsumerHandle?) {
    self.producer = producer.handle
    self.consumer = consumer?.handle
  }

  /// What is known of a topic.
  private struct Topic {
    var partitions: Int
    /// How many of them have a leader.
    var leaders = 0

    var isServed: Bool { partitions > 0 && leaders == partitions }
  }

  // MARK: Topics

  /// How many partitions topics have.
  func topics(_ names: [String], until deadline: ContinuousClock.Instant) -> [String: Result<Int, KafkaFailure>] {
    look(names, until: deadline).mapValues { $0.map(\.partitions) }
  }

  private static let askedAlone = 8
  /// On a line on which an answer takes longer than this, topics are asked for together.
  private static let quickAnswer = Duration.milliseconds(50)
  /// An answer is waited for so long, whoever else wants to ask: a line may be slow.
  static let timeForAnswer = Duration.seconds(1)

  private func look(_ names: [String], until deadline: ContinuousClock.Instant) -> [String: Result<Topic, KafkaFailure>]
  {
    var answers: [String: Result<Topic, KafkaFailure>] = [:]
    // The one call is for one topic, the other for all that the handle knows.
    if names.count <= Self.askedAlone {
      for name in names {
        let start = ContinuousClock.now
        do throws(KafkaFailure) {
          let topic = try producer.topic(name)
          let all = try metadata(of: producer, topic, until: deadline).get()
          answers[name] = all[name] ?? .failure(KafkaFailure(.unknownTopic))
        } catch {
          answers[name] = .failure(error)
        }
        if .now - start > Self.quickAnswer { break }
      }
      if answers.count == names.count { return answers }
    }
    for name in names where answers[name] == nil {
      do throws(KafkaFailure) { _ = try producer.topic(name) } catch { answers[name] = .failure(error) }
    }
    switch metadata(of: producer, nil, until: deadline) {
    case .success(let all):
      for name in names where answers[name] == nil {
        answers[name] = all[name] ?? .failure(KafkaFailure(.unknownTopic))
      }
    case .failure(let failure):
      for name in names where answers[name] == nil { answers[name] = .failure(failure) }
    }
    return answers
  }

  /// How many partitions the topics have that the consumer knows.
  func known(
    until deadline: ContinuousClock.Instant
  ) -> Result<[String: Result<Int, KafkaFailure>], KafkaFailure> {
    metadata(of: consumer ?? producer, nil, until: deadline).map { $0.mapValues { $0.map(\.partitions) } }
  }

  private func metadata(
    of handle: KafkaHandle, _ topic: OpaquePointer?, until deadline: ContinuousClock.Instant
  ) -> Result<[String: Result<Topic, KafkaFailure>], KafkaFailure> {
    handle.use { pointer in
      var metadata: UnsafePointer<rd_kafka_metadata>?
      let status = rd_kafka_metadata(pointer, 0, topic, &metadata, Self.milliseconds(until: deadline))
      guard status == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { return .failure(KafkaFailure(status)) }
      defer { rd_kafka_metadata_destroy(metadata) }
      var topics: [String: Result<Topic, KafkaFailure>] = [:]
      for index in 0..<Int(metadata.pointee.topic_cnt) {
        let topic = metadata.pointee.topics[index]
        guard let name = topic.topic else { continue }
        topics[String(cString: name)] = Self.topic(topic)
      }
      return .success(topics)
    } ?? .failure(.destroyed)
  }

  private static func topic(_ topic: rd_kafka_metadata_topic) -> Result<Topic, KafkaFailure> {
    let code = KafkaCode(topic.err)
    guard code == .none || code.concernsLeader else { return .failure(KafkaFailure(code)) }
    var answer = Topic(partitions: Int(topic.partition_cnt))
    if code != .none { return .success(answer) }
    for index in 0..<answer.partitions where topic.partitions[index].leader >= 0 { answer.leaders += 1 }
    return .success(answer)
  }

  struct Creation {
    /// Those that this call has made, and nobody before.
    var made: Set<String> = []
    var refused: [String: KafkaFailure] = [:]

    fileprivate mutating func merge(_ other: Creation) {
      made.formUnion(other.made)
      refused.merge(other.refused) { $1 }
    }
  }

  /// So many partitions are made by one request. A broker does not tell of those of the next request before it has set up
  /// these, which takes it much longer than to make them; and more than 10,000 it refuses.
  private static let partitionsAtOnce = 1_000

  /// Makes topics, as far as there is time. One that is there is fine.
  ///
  /// - Parameter isTrial: The cluster checks whether it would, and makes none.
  func create(
    _ names: [String], as newTopics: NewTopics, isTrial: Bool = false, until deadline: ContinuousClock.Instant
  ) -> Creation {
    var creation = Creation()
    let atOnce = max(1, Self.partitionsAtOnce / max(1, newTopics.partitions ?? 1))
    for start in stride(from: 0, to: names.count, by: atOnce) where start == 0 || .now < deadline {
      let some = Array(names[start..<min(start + atOnce, names.count)])
      let made = producer.use { pointer in
        Self.create(some, as: newTopics, isTrial, by: pointer, Self.milliseconds(until: deadline))
      }
      creation.merge(made ?? Self.all(some, .destroyed))
    }
    return creation
  }

  private static func create(
    _ names: [String], as newTopics: NewTopics, _ isTrial: Bool, by pointer: OpaquePointer, _ milliseconds: Int32
  ) -> Creation {
    var creation = Creation()
    var topics: [OpaquePointer?] = []
    defer { for topic in topics { rd_kafka_NewTopic_destroy(topic) } }
    var reason = [CChar](repeating: 0, count: 512)
    for name in names {
      guard
        let topic = rd_kafka_NewTopic_new(
          name, Int32(clamping: newTopics.partitions ?? -1), Int32(clamping: newTopics.replication ?? -1), &reason,
          reason.count)
      else {
        creation.refused[name] = KafkaFailure(.invalidArgument, KafkaHandle.text(reason))
        continue
      }
      topics.append(topic)
      for (setting, value) in newTopics.settings { _ = rd_kafka_NewTopic_set_config(topic, setting, value) }
    }
    if topics.isEmpty { return creation }
    guard let queue = rd_kafka_queue_new(pointer) else { return all(names, KafkaFailure(.destroyed)) }
    defer { rd_kafka_queue_destroy(queue) }
    let options = rd_kafka_AdminOptions_new(pointer, RD_KAFKA_ADMIN_OP_CREATETOPICS)
    defer { rd_kafka_AdminOptions_destroy(options) }
    _ = rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, &reason, reason.count)
    _ = rd_kafka_AdminOptions_set_operation_timeout(options, milliseconds, &reason, reason.count)
    if isTrial { _ = rd_kafka_AdminOptions_set_validate_only(options, 1, &reason, reason.count) }
    rd_kafka_CreateTopics(pointer, &topics, topics.count, options, queue)
    // The library answers at its time-out itself; this is in case that it does not.
    guard let event = rd_kafka_queue_poll(queue, milliseconds + 500) else {
      return all(names, KafkaFailure(.timedOut))
    }
    defer { rd_kafka_event_destroy(event) }
    let code = KafkaCode(rd_kafka_event_error(event))
    guard code == .none, let result = rd_kafka_event_CreateTopics_result(event) else {
      let words = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? code.words
      return all(names, KafkaFailure(code == .none ? .badMessage : code, words))
    }
    var count = 0
    let results = rd_kafka_CreateTopics_result_topics(result, &count)
    for index in 0..<count {
      guard let topic = results?[index], let name = rd_kafka_topic_result_name(topic) else { continue }
      let code = KafkaCode(rd_kafka_topic_result_error(topic))
      if code == .none { creation.made.insert(String(cString: name)) }
      if code == .none || code == .topicExists { continue }
      let words = rd_kafka_topic_result_error_string(topic).map { String(cString: $0) } ?? code.words
      creation.refused[String(cString: name)] = KafkaFailure(code, words)
    }
    return creation
  }

  /// Waits until each partition of the topics has a leader, and makes those that are not there.
  ///
  /// - Parameters:
  ///   - isServedInPart: Whether it is enough that one partition has a leader.
  ///   - returnsEarly: Whether to return as soon as any have their answers: the others are to be asked for again.
  func ready(
    _ names: [String], creating newTopics: NewTopics?, ifServedInPart isServedInPart: Bool = false,
    returningEarly returnsEarly: Bool = false, until deadline: ContinuousClock.Instant
  ) -> [String: Result<Int, KafkaFailure>] {
    var answers: [String: Result<Int, KafkaFailure>] = [:]
    var left = names
    var created: Set<String> = []
    var reasons: [String: KafkaFailure] = [:]
    while true {
      let seen = look(left, until: max(deadline, .now + Self.timeForAnswer))
      var missing: [String] = []
      var waiting: [(name: String, failure: KafkaFailure)] = []
      for name in left {
        switch seen[name] ?? .failure(KafkaFailure(.unknownTopic)) {
        case .success(let topic):
          if topic.isServed || isServedInPart && topic.leaders > 0 {
            answers[name] = .success(topic.partitions)
          } else {
            waiting.append((name, KafkaFailure(.leaderNotAvailable)))
          }
        case .failure(let failure) where failure.code.meansUnknownTopic && newTopics != nil:
          // One that has just been made is not known everywhere at once.
          if created.insert(name).inserted { missing.append(name) } else { waiting.append((name, failure)) }
        // That nobody told anew says less than what was told.
        case .failure(let failure):
          answers[name] = .failure(failure.code.meansTimedOut ? reasons[name] ?? failure : failure)
        }
      }
      if let newTopics, !missing.isEmpty {
        let refused = create(missing, as: newTopics, until: deadline).refused
        for name in missing {
          if var failure = refused[name] {
            failure.concernsCreation = true
            answers[name] = .failure(failure)
          } else {
            waiting.append((name, KafkaFailure(.leaderNotAvailable)))
          }
        }
      }
      if waiting.isEmpty { return answers }
      guard !returnsEarly || answers.isEmpty, Self.pause(until: deadline) else {
        for (name, failure) in waiting { answers[name] = .failure(failure) }
        return answers
      }
      left = waiting.map(\.name)
      for (name, failure) in waiting { reasons[name] = failure }
    }
  }

  // MARK: The cluster

  /// What the cluster calls itself, once it was heard of. It does not block.
  func clusterID() -> String? {
    producer.use { pointer -> String? in
      guard let text = rd_kafka_clusterid(pointer, 0) else { return nil }
      defer { rd_kafka_mem_free(pointer, text) }
      return String(cString: text)
    } ?? nil
  }

  // MARK: Time

  /// At least 1: 0 has a meaning of its own in some calls.
  static func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
    let (seconds, attoseconds) = (deadline - .now).components
    return Int32(clamping: max(1, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
  }

  private static let retryPause = Duration.milliseconds(20)

  /// Sleeps for a moment; false when there is no time for it.
  static func pause(until deadline: ContinuousClock.Instant) -> Bool {
    guard ContinuousClock.now + retryPause < deadline else { return false }
    usleep(20_000)
    return true
  }

  private static func all(_ names: [String], _ failure: KafkaFailure) -> Creation {
    Creation(refused: Dictionary(names.map { ($0, failure) }) { first, _ in first })
  }
}
