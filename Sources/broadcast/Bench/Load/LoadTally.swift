//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What the deliveries of a run come to: each is checked, and those of the measured messages are measured.
struct LoadTally: Sendable {
  var checker: DeliveryChecker
  var measurement = Measurement()
  /// The number of the first message that is measured.
  var measuredFrom = Int.max

  /// Takes the plain messages that a buffer begins with, all in one call: it is made for each read of each subscriber,
  /// and there may be millions a second.
  /// - Returns: how many bytes those were, and whether one of them was the last delivery of its message.
  mutating func receive(
    plain bytes: UnsafeRawBufferPointer, by subscriber: Int, at now: UInt64
  ) -> (consumed: Int, isLast: Bool) {
    var consumed = 0
    var isLast = false
    while let frame = PlainFrame(UnsafeRawBufferPointer(rebasing: bytes[consumed...])) {
      if receive(frame.payload, by: subscriber, at: now) { isLast = true }
      consumed += frame.length
    }
    return (consumed, isLast)
  }

  /// - Returns: whether it was the last delivery of a message.
  mutating func receive(_ payload: UnsafeRawBufferPointer, by subscriber: Int, at now: UInt64) -> Bool {
    guard case .delivered(let number, let stamp, let isLast) = checker.receive(payload, subscriber: subscriber) else {
      return false
    }
    if number >= measuredFrom { measurement.delivered(after: now > stamp ? now - stamp : 0, isLast: isLast) }
    return isLast
  }

  mutating func answered(_ number: Int, stamp: UInt64, at now: UInt64) {
    if number >= measuredFrom { measurement.answered(after: now > stamp ? now - stamp : 0) }
    checker.answered(number)
  }
}
