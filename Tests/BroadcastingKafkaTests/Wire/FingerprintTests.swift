//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingKafka

@Suite("What a record is known again by")
struct FingerprintTests {
  private func fingerprint(
    offset: Int64 = 7, timestamp: Int64 = 1, key: [UInt8] = [1], value: [UInt8] = [2]
  ) -> Fingerprint {
    key.withUnsafeBytes { key in
      value.withUnsafeBytes { Fingerprint(offset: offset, timestamp: timestamp, key: key, value: $0) }
    }
  }

  @Test("the same record is the same, and whatever differs is told")
  func differences() {
    #expect(fingerprint() == fingerprint())
    #expect(fingerprint(offset: 8) != fingerprint())
    #expect(fingerprint(timestamp: 2) != fingerprint())
    #expect(fingerprint(key: [2]) != fingerprint())
    #expect(fingerprint(key: []) != fingerprint())
    #expect(fingerprint(value: [1]) != fingerprint())
    #expect(fingerprint(key: [1, 2], value: []) != fingerprint())
    let long = [UInt8](repeating: 0, count: 10_000)
    #expect(fingerprint(value: long) != fingerprint(value: long + [0]))
    #expect(fingerprint(value: [1] + long) != fingerprint(value: [2] + long))
  }
}
