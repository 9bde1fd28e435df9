//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CRdkafka

/// Which librdkafka runs here.
struct LibraryVersion: Sendable, CustomStringConvertible {
  /// As `rd_kafka_version()` has it: two digits each of major, minor and revision, and of the candidate.
  let number: Int32

  static let current = LibraryVersion(number: rd_kafka_version())

  /// Its SCRAM fails on brokers of version 4 (librdkafka's issue 4895).
  var hasOldSCRAM: Bool { number < 0x0206_01ff }

  var description: String { "\(number >> 24 & 0xff).\(number >> 16 & 0xff).\(number >> 8 & 0xff)" }
}
