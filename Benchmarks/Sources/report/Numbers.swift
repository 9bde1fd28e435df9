//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Numbers as people read them.
enum Numbers {
  /// With three digits that say something, and commas: `0.45`, `12.3`, `2,340,000`.
  static func text(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    switch value.magnitude {
    case ..<9.995: return fixed(value, 2)
    case ..<99.95: return fixed(value, 1)
    default: return grouped(Int(value.rounded()))
    }
  }

  static func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
  }

  static func fixed(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int((value.magnitude * Double(scale)).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    if digits == 0 { return "\(sign)\(scaled)" }
    let fraction = "\(scaled % scale)"
    return "\(sign)\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  /// Microseconds in the unit that suits them.
  static func time(_ microseconds: Double?) -> String {
    guard let microseconds else { return "–" }
    if microseconds < 1_000 { return "\(text(microseconds)) µs" }
    return microseconds < 1_000_000 ? "\(text(microseconds / 1e3)) ms" : "\(text(microseconds / 1e6)) s"
  }
}
