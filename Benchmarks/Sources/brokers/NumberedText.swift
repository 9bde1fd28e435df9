//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The messages of the measurement: 120 bytes of text, with the number of the publisher and that of its message in front.
enum NumberedText {
  static let length = 120
  private static let publisherDigits = 2
  private static let digits = 10

  // Plain loops over plain memory: what this costs counts as ours.
  static func make(publisher: Int, number: Int) -> String {
    String(unsafeUninitializedCapacity: length) { bytes in
      bytes.initialize(repeating: UInt8(ascii: "x"))
      write(publisher, to: bytes, from: 0, upTo: publisherDigits)
      write(number, to: bytes, from: publisherDigits, upTo: digits)
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

  static func read(_ payload: [UInt8]) -> (publisher: Int, number: Int)? {
    guard payload.count == length else { return nil }
    return payload.withUnsafeBufferPointer {
      (value(in: $0, from: 0, upTo: publisherDigits), value(in: $0, from: publisherDigits, upTo: digits))
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

  init(publishers: Int) { due = Array(repeating: 0, count: publishers) }

  mutating func enter(_ delivery: Delivery) throws {
    guard case .message(let message) = delivery else { throw MeasurementError("there was a gap: \(delivery)") }
    guard let (publisher, number) = NumberedText.read(message.payload), due.indices.contains(publisher),
      number == due[publisher]
    else {
      throw MeasurementError("a message was lost, doubled, out of order or damaged: \(message)")
    }
    due[publisher] += 1
    count += 1
  }
}

struct MeasurementError: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}
