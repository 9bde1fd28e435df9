//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension Int {
  /// Decimal digits alone: no sign, no spaces. Nil too when it is too large.
  init?(decimal text: some StringProtocol) {
    guard !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    self.init(text)
  }
}

/// A number in front and a unit behind it.
private func split(_ text: String) -> (Int, unit: Substring)? {
  let digits = text.prefix { $0.isASCII && $0.isNumber }
  return Int(decimal: digits).map { ($0, text[digits.endIndex...]) }
}

/// Numbers of bytes. `k`, `K`, `KiB` are 1,024 bytes, `kB` and `KB` 1,000; so for M and G. Nothing or `B`: bytes.
enum ByteSize {
  private static let units = ["KiB", "MiB", "GiB"]

  static func parse(_ text: String) -> Int? {
    guard let (number, unit) = split(text) else { return nil }
    let factor: Int
    switch unit {
    case "", "B": factor = 1
    case "k", "K", "KiB": factor = 1 << 10
    case "m", "M", "MiB": factor = 1 << 20
    case "g", "G", "GiB": factor = 1 << 30
    case "kB", "KB": factor = 1_000
    case "MB": factor = 1_000_000
    case "GB": factor = 1_000_000_000
    default: return nil
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : bytes
  }

  /// In the largest unit that leaves a whole number.
  static func format(_ bytes: Int) -> String {
    var number = bytes
    var unit = "B"
    for larger in units where number != 0 && number % 1_024 == 0 {
      number /= 1_024
      unit = larger
    }
    return unit == "B" ? "\(number)" : "\(number)\(unit)"
  }
}

/// Times such as 500ms, 20s, 2m, 1h or 1d. There is no default unit: a bare number says too little.
enum TimeSpan {
  static func parse(_ text: String) -> Duration? {
    guard let (number, unit) = split(text) else { return nil }
    let factor: Int
    switch unit {
    case "ms": factor = 1
    case "s": factor = 1_000
    case "m": factor = 60_000
    case "h": factor = 3_600_000
    case "d": factor = 86_400_000
    default: return nil
    }
    let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : .milliseconds(milliseconds)
  }

  /// In the largest unit that leaves a whole number.
  static func format(_ duration: Duration) -> String {
    let milliseconds = duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    if milliseconds == 0 || milliseconds % 1_000 != 0 { return "\(milliseconds)ms" }
    if milliseconds % 86_400_000 == 0 { return "\(milliseconds / 86_400_000)d" }
    if milliseconds % 3_600_000 == 0 { return "\(milliseconds / 3_600_000)h" }
    if milliseconds % 60_000 == 0 { return "\(milliseconds / 60_000)m" }
    return "\(milliseconds / 1_000)s"
  }
}
