//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingKafka

func fingerprint(_ offset: Int64, _ timestamp: Int64 = 0) -> Fingerprint {
  let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
  return Fingerprint(offset: offset, timestamp: timestamp, key: nothing, value: nothing)
}

/// One that has read up to an offset, with the last record before it.
func position(from start: Int64 = 0, upTo next: Int64, holds: Bool = true) -> ReadPosition {
  var position = ReadPosition(next: start, holds: holds)
  for offset in start..<next { #expect(position.message(offset) == .deliver) }
  if next > start { position.note(fingerprint(next - 1)) }
  return position
}
