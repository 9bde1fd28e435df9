//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a look at the cluster says of the topics that are read.
struct TopicWatch {
  enum Step: Equatable {
    case newPartitions(Range<Int>)
    /// It is gone, or has fewer partitions than it had, which only another one of that name can have.
    case vanished
    case refused(KafkaFailure)
  }

  private var clusterID: String?

  /// The topic's partitions, as looked up now, beside how many are known.
  func seen(_ answer: Result<Int, KafkaFailure>, known: Int) -> Step? {
    switch answer {
    case .success(let count):
      // None at all is what a topic in the making has.
      if count == 0 { return nil }
      if count < known { return .vanished }
      return count > known ? .newPartitions(known..<count) : nil
    case .failure(let failure):
      if failure.code.meansUnknownTopic { return .vanished }
      return failure.code.meansNoRight ? .refused(failure) : nil
    }
  }

  /// Returns whether that is another cluster than before.
  mutating func isOther(_ id: String?) -> Bool {
    guard let id else { return false }
    defer { clusterID = clusterID ?? id }
    return clusterID.map { $0 != id } ?? false
  }
}
