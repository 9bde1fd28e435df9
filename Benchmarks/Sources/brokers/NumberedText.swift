//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import measuring

/// The messages of the measurement: 120 bytes of text, with the number of the publisher and that of its message in front, and
/// the time of its sending if wanted.
enum NumberedText {
  struct Numbers {
    var publisher: Int
    var message: Int
    /// Nanoseconds of the monotonic clock, or 0.
    var sent: Int
  }

  static let length = 120
  // Where the digits of each number end.
  private static let publisherEnd = 2
  private static let messageEnd = 10
  private static let sentEnd = 29

  // Plain loops over plain memory: what this costs counts as ours.
  static func make(_ numbers: Numbers) -> String {
    String(unsafeUninitializedCapacity: length) { bytes in
      bytes.initialize(repeating: UInt8(ascii: "x"))
      write(numbers.publisher, to: bytes, from: 0, upTo: publisherEnd)
      write(numbers.message, to: bytes, from: publisherEnd, upTo: messageEnd)
      if numbers.sent > 0 { write(numbers.sent, to: bytes, from: messageEnd, upTo: sentEnd) }
      return length
    }
  }

  private static func write(_ number: Int, to bytes: UnsafeMutableBufferPointer<UInt8>, from start: Int, upTo end: Int)
  {
    var rest = number
    var index = end
    while index > start {
      index -= 1
      bytes[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }

  static func read(_ payload: [UInt8]) -> Numbers? {
    guard payload.count == length else { return nil }
    return payload.withUnsafeBufferPointer { bytes in
      Numbers(
        publisher: value(in: bytes, from: 0, upTo: publisherEnd),
        message: value(in: bytes, from: publisherEnd, upTo: messageEnd),
        sent: bytes[messageEnd] == UInt8(ascii: "x") ? 0 : value(in: bytes, from: messageEnd, upTo: sentEnd))
    }
  }

  private static func value(in bytes: UnsafeBufferPointer<UInt8>, from start: Int, upTo end: Int) -> Int {
    var value = 0
    var index = start
    while index < end {
      value = value * 10 + Int(bytes[index]) - Int(UInt8(ascii: "0"))
      index += 1
    }
    return value
  }
}

/// What the subscription has had so far. Each message must come once, and those of a publisher in their order.
struct Ledger {
  private var due: [Int]
  private(set) var count = 0
  /// In microseconds, of the messages that carry the time of their sending.
  private(set) var latencies: [Double] = []

  init(publishers: Int, messages: Int) {
    due = Array(repeating: 0, count: publishers)
    latencies.reserveCapacity(messages)
  }

  /// What came together, now.
  mutating func enter(_ deliveries: some Collection<Delivery>) throws {
    let now = Clock.monotonic()
    for delivery in deliveries { try enter(delivery, at: now) }
  }

  private mutating func enter(_ delivery: Delivery, at now: Int) throws {
    guard case .message(let message) = delivery else { throw MeasurementError("there was a gap: \(delivery)") }
    guard let numbers = NumberedText.read(message.payload), due.indices.contains(numbers.publisher),
      numbers.message == due[numbers.publisher]
    else {
      throw MeasurementError("a message was lost, doubled, out of order or damaged: \(message)")
    }
    due[numbers.publisher] += 1
    count += 1
    if numbers.sent > 0 { latencies.append(Double(now - numbers.sent) / 1e3) }
  }
}

struct MeasurementError: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}
