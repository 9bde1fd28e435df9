//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Says on standard error how far a run is: on a terminal in one line that is rewritten, elsewhere in a line every
/// second. It never waits: when nobody reads the other end of a pipe, nothing is said.
final class ProgressLine {
  enum Phase: Hashable, Sendable { case starting, connecting, settling, warmingUp, measuring }

  struct State: Hashable, Sendable {
    var opened: Int
    var subscribers: Int
    /// Messages of this phase.
    var published: Int
    var messages: Int
    /// Of all phases.
    var deliveries: Int
    /// Nanoseconds.
    var median: UInt64?
  }

  var phase = Phase.starting
  private let descriptor: Int32
  private let isTerminal: Bool
  private var shownAt: UInt64 = 0
  private var shown: (deliveries: Int, at: UInt64)?
  private var isDirty = false

  init(to descriptor: Int32 = StandardStream.error) {
    self.descriptor = descriptor
    isTerminal = StandardStream.isTerminal(descriptor)
  }

  func show(_ state: State, at now: UInt64) {
    guard now - min(now, shownAt) >= (isTerminal ? 200_000_000 : 1_000_000_000) else { return }
    shownAt = now
    let rate = shown.map { last in
      Double(state.deliveries - last.deliveries) * 1e9 / Double(max(1, now - last.at))
    }
    shown = (state.deliveries, now)
    guard let text = Self.text(phase, state, deliveriesPerSecond: rate) else { return }
    // To the start of the line, and away with what stood there (ECMA-48, EL).
    write(isTerminal ? "\r\u{1b}[K\(text)" : "\(text)\n")
    isDirty = isTerminal
  }

  /// Removes the line, for what is printed next.
  func clear() {
    if isDirty { write("\r\u{1b}[K") }
    isDirty = false
  }

  static func text(_ phase: Phase, _ state: State, deliveriesPerSecond: Double?) -> String? {
    func messages(_ what: String) -> String {
      var text = "\(what): \(Numbers.grouped(state.published)) of \(Numbers.grouped(state.messages)) messages"
      if let deliveriesPerSecond { text += ", \(Numbers.significant(deliveriesPerSecond)) deliveries/s" }
      if phase == .measuring, let median = state.median { text += ", p50 \(Numbers.time(nanoseconds: median))" }
      return text
    }
    switch phase {
    case .starting: return nil
    case .connecting:
      return "connecting: \(Numbers.grouped(state.opened)) of \(Numbers.grouped(state.subscribers)) subscribers"
    case .settling: return "connected: \(Numbers.grouped(state.opened)) subscribers"
    case .warmingUp: return messages("warming up")
    case .measuring: return messages("measuring")
    }
  }

  private func write(_ text: String) {
    if StandardStream.isReady(descriptor) { _ = StandardStream.writeOnce(Array(text.utf8)[...], to: descriptor) }
  }
}
