//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CRdkafka

extension Inquiries {
  /// The offset behind the last message of each partition of topics with so many of them.
  func ends(
    _ partitions: [String: Int], until deadline: ContinuousClock.Instant
  ) -> [String: Result<[Int64], KafkaFailure>] {
    offsets(Self.end, partitions, until: deadline)
  }

  /// The first offset of each partition, and the one behind the last message.
  func bounds(
    _ partitions: [String: Int], until deadline: ContinuousClock.Instant
  ) -> [String: Result<[Range<Int64>], KafkaFailure>] {
    // A partition without a leader may take all the time that there is, and must not take it from the second question.
    let now = ContinuousClock.now
    let starts = offsets(Self.start, partitions, until: now + (deadline - now) / 2)
    let ends = offsets(Self.end, partitions, until: deadline)
    var bounds: [String: Result<[Range<Int64>], KafkaFailure>] = [:]
    for name in partitions.keys {
      guard let start = starts[name], let end = ends[name] else { continue }
      bounds[name] = start.flatMap { starts in
        end.map { ends in zip(starts, ends).map { min($0, $1)..<$1 } }
      }
    }
    return bounds
  }

  /// Waits until all partitions are served by their leaders, as far as there is time.
  func awaitLeaders(_ partitions: [String: Int], until deadline: ContinuousClock.Instant) {
    if partitions.isEmpty { return }
    while case .failure(let failure) = query(Self.end, partitions, until: deadline), failure.code.concernsLeader {
      guard Self.pause(until: deadline) else { return }
    }
  }

  /// What stands for the two ends of a log in place of a time (`rd_kafka_offsets_for_times`).
  private static let start: Int64 = -2
  private static let end: Int64 = -1

  private func offsets(
    _ place: Int64, _ partitions: [String: Int], until deadline: ContinuousClock.Instant
  ) -> [String: Result<[Int64], KafkaFailure>] {
    var answers: [String: Result<[Int64], KafkaFailure>] = [:]
    var left = Array(partitions)
    var rounds = 0
    while !left.isEmpty {
      rounds += 1
      ask(place, left[...], until: deadline, dividing: rounds > Self.wholeRounds, &answers)
      left = left.filter { name, _ in
        guard case .failure(let failure) = answers[name] else { return false }
        return failure.code.concernsLeader
      }
      // Those that go on without a leader hold up none of the others: they are asked for again.
      guard !left.isEmpty, rounds <= Self.wholeRounds || left.count == partitions.count, Self.pause(until: deadline)
      else { break }
    }
    return answers
  }

  /// Topics that have just been made have their leaders soon, all of them.
  private static let wholeRounds = 5

  /// An error of one partition fails the whole call, and does not say which it was: it is found by halves.
  private func ask(
    _ place: Int64, _ topics: ArraySlice<(key: String, value: Int)>, until deadline: ContinuousClock.Instant,
    dividing divides: Bool, _ answers: inout [String: Result<[Int64], KafkaFailure>]
  ) {
    switch query(place, Dictionary(topics.map { ($0.key, $0.value) }) { first, _ in first }, until: deadline) {
    case .success(let all):
      for (name, offsets) in all { answers[name] = .success(offsets) }
    case .failure(let failure):
      // What concerns no partition is the same for each half.
      let concernsOne = !failure.code.meansTimedOut && failure.code != .transport && failure.code != .destroyed
      guard topics.count > 1, concernsOne, divides || !failure.code.concernsLeader, .now < deadline else {
        for (name, _) in topics { answers[name] = .failure(failure) }
        return
      }
      let middle = topics.index(topics.startIndex, offsetBy: topics.count / 2)
      ask(place, topics[..<middle], until: deadline, dividing: true, &answers)
      ask(place, topics[middle...], until: deadline, dividing: true, &answers)
    }
  }

  private func query(
    _ place: Int64, _ partitions: [String: Int], until deadline: ContinuousClock.Instant
  ) -> Result<[String: [Int64]], KafkaFailure> {
    producer.use { pointer in
      guard let list = rd_kafka_topic_partition_list_new(Int32(clamping: partitions.values.reduce(0, +))) else {
        return .failure(.destroyed)
      }
      defer { rd_kafka_topic_partition_list_destroy(list) }
      for (name, count) in partitions {
        for partition in 0..<count {
          rd_kafka_topic_partition_list_add(list, name, Int32(clamping: partition)).pointee.offset = place
        }
      }
      let status = rd_kafka_offsets_for_times(pointer, list, Self.milliseconds(until: deadline))
      guard status == RD_KAFKA_RESP_ERR_NO_ERROR else { return .failure(KafkaFailure(status)) }
      var offsets = partitions.mapValues { [Int64](repeating: 0, count: $0) }
      for index in 0..<Int(list.pointee.cnt) {
        let element = list.pointee.elems[index]
        guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return .failure(KafkaFailure(element.err)) }
        guard let name = element.topic, element.offset >= 0 else { return .failure(KafkaFailure(.leaderNotAvailable)) }
        offsets[String(cString: name)]?[Int(element.partition)] = element.offset
      }
      return .success(offsets)
    } ?? .failure(.destroyed)
  }
}
