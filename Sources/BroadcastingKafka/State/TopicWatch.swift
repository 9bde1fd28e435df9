//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// What looks at the cluster say of the topics that are read.
struct TopicWatch {
  enum Step: Equatable {
    case newPartitions(Range<Int>)
    /// It is gone, or has fewer partitions than it had, which only another one of that name can have.
    case vanished
    /// So it seems, for the first time: look again after ``patience``. A broker that has just started may not know it as yet.
    case missing
    case refused(KafkaFailure)
  }

  static let patience = Duration.seconds(1)

  private var clusterID: String?
  /// Since when topics are missing, by their slots.
  private var missing: [Int: LoopInstant] = [:]

  /// The topic's partitions, as looked up now, beside how many are known.
  mutating func seen(_ slot: Int, _ answer: Result<Int, KafkaFailure>, known: Int, now: LoopInstant) -> Step? {
    switch answer {
    case .success(let count):
      // None at all is what a topic in the making has.
      if count == 0 { return nil }
      if count < known { return miss(slot, now) }
      missing[slot] = nil
      return count > known ? .newPartitions(known..<count) : nil
    case .failure(let failure):
      if failure.code.meansUnknownTopic { return miss(slot, now) }
      return failure.code.meansNoRight ? .refused(failure) : nil
    }
  }

  private mutating func miss(_ slot: Int, _ now: LoopInstant) -> Step {
    let since = missing[slot] ?? now
    missing[slot] = since
    return now - since >= Self.patience ? .vanished : .missing
  }

  /// The topic is read anew, or no more.
  mutating func forget(_ slot: Int) { missing[slot] = nil }

  /// Returns whether that is another cluster than before.
  mutating func isOther(_ id: String?) -> Bool {
    guard let id else { return false }
    defer { clusterID = clusterID ?? id }
    return clusterID.map { $0 != id } ?? false
  }
}
