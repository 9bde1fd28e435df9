//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Numbers as people read them.
enum Numbers {
  /// `1,234,567`
  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return number < 0 ? "-" + text : text
  }

  /// `1.50`: with so many digits behind the point.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    // What has no place in a whole number is no number to show.
    guard let scaled = Int(exactly: (value * scale).rounded()) else { return "-" }
    let text = String(scaled.magnitude)
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    let sign = scaled < 0 ? "-" : ""
    if digits == 0 { return sign + padded }
    return "\(sign)\(padded.dropLast(digits)).\(padded.suffix(digits))"
  }

  /// With three digits that say something: `5.61`, `12.3`, `123`, `1,234`.
  static func significant(_ value: Double) -> String {
    switch value.magnitude {
    case ..<9.995: fixed(value, 2)
    case ..<99.95: fixed(value, 1)
    default: Int(exactly: value.rounded()).map(grouped) ?? "-"
    }
  }

  /// Nanoseconds in the unit that suits them: `850 µs`, `5.61 ms`, `1.20 s`.
  static func time(nanoseconds: UInt64) -> String {
    let value = Double(nanoseconds)
    return switch nanoseconds {
    case ..<999_500: "\(significant(value / 1e3)) µs"
    case ..<999_500_000: "\(significant(value / 1e6)) ms"
    default: "\(significant(value / 1e9)) s"
    }
  }

  /// `6.24 KiB`
  static func bytes(_ bytes: Double) -> String {
    switch bytes.magnitude {
    case ..<1_024: "\(fixed(bytes, 0)) bytes"
    case ..<1_048_576: "\(significant(bytes / 1_024)) KiB"
    default: "\(significant(bytes / 1_048_576)) MiB"
    }
  }
}
