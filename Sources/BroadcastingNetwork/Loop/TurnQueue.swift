//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// First in, first out, for work that is taken while more comes in. Two arrays change places, so that in the long run
/// nothing is allocated and nothing is moved.
struct TurnQueue<Element> {
  private var coming: [Element] = []
  private var current: [Element] = []
  private var next = 0

  /// A burst may need more room, but does not keep it.
  private static var roomKept: Int { 16_384 }

  var isEmpty: Bool { next == current.count && coming.isEmpty }

  mutating func append(_ element: Element) { coming.append(element) }

  mutating func append(contentsOf elements: [Element]) { coming.append(contentsOf: elements) }

  mutating func popFirst() -> Element? {
    if next == current.count {
      // Emptied even when nothing follows: a closure that has run must not be kept alive by an idle loop.
      current.removeAll(keepingCapacity: current.capacity <= Self.roomKept)
      next = 0
      if coming.isEmpty { return nil }
      swap(&coming, &current)
    }
    defer { next += 1 }
    return current[next]
  }
}
