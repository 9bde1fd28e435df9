//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Positions as scripts write them, read without a string of them: there is one for each message.
extension MessagePosition {
  init?(bytes: UnsafeRawBufferPointer) {
    guard let dash = bytes.firstIndex(of: UInt8(ascii: "-")), let epoch = bytes[..<dash].decimalNumber,
      let offset = bytes[(dash + 1)...].decimalNumber
    else { return nil }
    self.init(epoch: epoch, offset: offset)
  }
}

extension Slice<UnsafeRawBufferPointer> {
  /// Nil for what is not digits alone, and for more than 64 bits hold.
  var decimalNumber: UInt64? {
    if isEmpty { return nil }
    var number: UInt64 = 0
    for byte in self {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
      let (sum, overflows) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      if isTooLarge || overflows { return nil }
      number = sum
    }
    return number
  }
}
