//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The value of a decimal number as it is written, to compare two ways of writing it: 1.50, 1.5 and 15e-1 are equal.
struct DecimalDigits: Equatable {
  private var isNegative = false
  /// Without zeros at either end.
  private var digits: [UInt8] = []
  /// Of the last digit.
  private var exponent = 0

  init?(_ text: String) {
    var rest = Substring(text).utf8
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      isNegative = sign == UInt8(ascii: "-")
      rest.removeFirst()
    }
    if let mark = rest.firstIndex(where: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) {
      guard let power = Int32(Substring(rest[rest.index(after: mark)...])) else { return nil }
      exponent = Int(power)
      rest = rest[..<mark]
    }
    var isBehindPoint = false
    for byte in rest {
      switch byte {
      case UInt8(ascii: "."):
        if isBehindPoint { return nil }
        isBehindPoint = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits.append(byte)
        if isBehindPoint { exponent -= 1 }
      default: return nil
      }
    }
    if digits.isEmpty { return nil }
    trim()
  }

  private mutating func trim() {
    let end = (digits.lastIndex { $0 != UInt8(ascii: "0") } ?? -1) + 1
    exponent += digits.count - end
    digits = Array(digits[..<end].drop { $0 == UInt8(ascii: "0") })
    if digits.isEmpty {
      isNegative = false
      exponent = 0
    }
  }

  /// The whole number that it is, written without a point, or nothing where it is none or is longer than any type of integer.
  var wholeNumber: String? {
    guard exponent >= 0, digits.count + exponent <= 40 else { return nil }
    if digits.isEmpty { return "0" }
    return (isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: exponent)
  }

  private init(isNegative: Bool, digits: [UInt8], exponent: Int) {
    (self.isNegative, self.digits, self.exponent) = (isNegative, digits, exponent)
    trim()
  }

  /// All digits of a finite number, of which there may be 767.
  private init(exactly number: Double) {
    let significand = number.significandBitPattern | (number.isNormal ? 1 << 52 : 0)
    let power = (number.isNormal ? Int(number.exponent) : -1022) - 52
    // A half is five tenths. The last digit comes first here, so that a number can grow.
    var reversed = String(significand).utf8.reversed().map { Int($0 - UInt8(ascii: "0")) }
    let factor = power < 0 ? 5 : 2
    for _ in 0..<abs(power) {
      var carry = 0
      for index in reversed.indices {
        let product = reversed[index] * factor + carry
        (carry, reversed[index]) = product.quotientAndRemainder(dividingBy: 10)
      }
      if carry > 0 { reversed.append(carry) }
    }
    self.init(
      isNegative: number < 0, digits: reversed.reversed().map { UInt8($0) + UInt8(ascii: "0") }, exponent: min(power, 0)
    )
  }

  /// Whether this is what a number is written as with no digit less than it takes to be read back.
  ///
  /// The shortest text that is read as the number is one, and Swift writes that. It may lie in the very middle between the
  /// number and the next one, and is then read as this one since its last bit is zero. PostgreSQL writes more digits there.
  func stands<Number: BinaryFloatingPoint & LosslessStringConvertible>(for number: Number) -> Bool {
    guard let shortest = DecimalDigits(number.description) else { return false }
    if self == shortest { return true }
    // No number takes more digits than that: 17 for a `Double`, 9 for a `Float`.
    let most = 2 + (Number.significandBitCount + 1) * 30_103 / 100_000
    return digits.count <= most && shortest.isMiddle(beside: number)
      && isRounded(DecimalDigits(exactly: Double(number)))
  }

  /// Whether a number that is greater or less by next to nothing is read as another one.
  private func isMiddle<Number: BinaryFloatingPoint & LosslessStringConvertible>(beside number: Number) -> Bool {
    guard let last = digits.last else { return false }
    let start = (isNegative ? "-" : "") + String(decoding: digits.dropLast(), as: UTF8.self)
    let (zeros, nines) = (String(repeating: "0", count: 20), String(repeating: "9", count: 20))
    let power = "e\(exponent - 20)"
    let greater = "\(start)\(Unicode.Scalar(last))\(zeros.dropLast())1\(power)"
    // The last digit is not zero.
    let less = "\(start)\(Unicode.Scalar(last - 1))\(nines)\(power)"
    return Number(greater) != number || Number(less) != number
  }

  /// Whether it is nearest to a number of more digits, among those that have as many digits as this.
  private func isRounded(_ exact: DecimalDigits) -> Bool {
    guard digits.count < exact.digits.count else { return self == exact }
    let rest = exact.digits[digits.count...]
    let exponent = exact.exponent + rest.count
    let below = DecimalDigits(
      isNegative: exact.isNegative, digits: Array(exact.digits[..<digits.count]), exponent: exponent)
    let isHalf = rest.elementsEqual([UInt8(ascii: "5")])
    let isLess = !isHalf && (rest.first ?? 0) < UInt8(ascii: "5")
    if self == below { return isLess || isHalf }
    return !isLess && self == below.successor(exponent)
  }

  /// The number that is one more at this place.
  private func successor(_ place: Int) -> DecimalDigits {
    var all = digits + Array(repeating: UInt8(ascii: "0"), count: max(0, exponent - place))
    for index in all.indices.reversed() {
      if all[index] < UInt8(ascii: "9") {
        all[index] += 1
        return DecimalDigits(isNegative: isNegative, digits: all, exponent: place)
      }
      all[index] = UInt8(ascii: "0")
    }
    return DecimalDigits(isNegative: isNegative, digits: [UInt8(ascii: "1")] + all, exponent: place)
  }
}
