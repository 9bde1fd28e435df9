//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension KafkaCode {
  /// Whether the next records of a partition are there and can't be read: asking once more brings the same.
  var meansUnreadable: Bool { Self.ofUnreadable.contains(rawValue) }

  /// librdkafka's for what it does not understand, can't decompress or has no room for, and a broker's for a corrupt record, one
  /// that is too large, a compression that it does not have, and a record that it does not take.
  private static let ofUnreadable: Set<Int32> = [-199, -198, -170, -155, 2, 10, 76, 87]
}
