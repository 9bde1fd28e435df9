//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How far the publishing of lines has come, for the words at its end.
struct PublishProgress: Hashable, Sendable {
  /// Lines that the server has confirmed.
  private(set) var sent = 0
  /// Whether the line behind them may have arrived.
  private(set) var isUnconfirmed = false

  /// The next line is about to be sent.
  mutating func begin() { isUnconfirmed = true }

  mutating func confirm() {
    sent += 1
    isUnconfirmed = false
  }

  /// The line that was begun failed, and arrived for certain in none of its attempts.
  mutating func takeBack() { isUnconfirmed = false }

  var report: String {
    var parts: [String] = []
    if sent > 0 { parts.append(sent == 1 ? "line 1 was sent" : "lines 1 to \(sent) were sent") }
    if isUnconfirmed { parts.append("line \(sent + 1) may have arrived") }
    let next = sent + (isUnconfirmed ? 2 : 1)
    parts.append(next == 1 ? "nothing was sent" : "nothing from line \(next) on was sent")
    return parts.joined(separator: ", ")
  }
}
