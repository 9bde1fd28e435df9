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

  static func make(publisher: Int, number: Int) -> String {
    String(unsafeUninitializedCapacity: length) { bytes in
      bytes.initialize(repeating: UInt8(ascii: "x"))
      write(publisher, to: bytes[..<publisherDigits])
      write(number, to: bytes[publisherDigits..<digits])
      return length
    }
  }

  private static func write(_ number: Int, to digits: Slice<UnsafeMutableBufferPointer<UInt8>>) {
    var digits = digits
    var rest = number
    for index in digits.indices.reversed() {
      digits[index] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }

  static func read(_ payload: [UInt8]) -> (publisher: Int, number: Int)? {
    guard payload.count == length else { return nil }
    return (value(payload[..<publisherDigits]), value(payload[publisherDigits..<digits]))
  }

  private static func value(_ digits: ArraySlice<UInt8>) -> Int {
    digits.reduce(0) { $0 * 10 + Int($1) - Int(UInt8(ascii: "0")) }
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
