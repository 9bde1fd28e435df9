//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What other threads hand to a loop. It decides who has to be woken; whoever holds the lock round it does so.
struct Inbox<Element> {
  private enum Phase {
    /// The loop runs.
    case open
    /// The loop closes its handles. Its thread still looks in here before it ends.
    case closing
    /// The thread is gone.
    case ended(fallbackRuns: Bool)
  }

  enum Wake: Equatable { case nobody, loop, fallback }

  private var phase = Phase.open
  private var waiting: [Element] = []
  private var wasSignalled = false

  /// At most one wake-up is outstanding, however much comes in.
  mutating func add(_ element: Element) -> Wake {
    waiting.append(element)
    switch phase {
    case .open:
      if wasSignalled { return .nobody }
      wasSignalled = true
      return .loop
    case .closing, .ended(fallbackRuns: true):
      return .nobody
    case .ended(fallbackRuns: false):
      phase = .ended(fallbackRuns: true)
      return .fallback
    }
  }

  mutating func takeAll() -> [Element] {
    wasSignalled = false
    defer { waiting = [] }
    return waiting
  }

  /// From here on nobody signals the loop, whose handle for that is about to close.
  mutating func startClosing() { phase = .closing }

  /// The thread's (later the fallback's) last look: true if nothing is left and it may go.
  mutating func endIfEmpty() -> Bool {
    guard waiting.isEmpty else { return false }
    phase = .ended(fallbackRuns: false)
    return true
  }
}
