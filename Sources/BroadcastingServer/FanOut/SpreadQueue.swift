//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Elements that wait, each for a tick at random, so that they do not all come at once. It has no clock of its own.
struct SpreadQueue<Element> {
  /// One for each tick to come, in a ring.
  private var slots: [[Element]]
  private var next = 0
  private(set) var count = 0

  /// - Parameter ticks: over how many ticks to spread, at least 1.
  init(ticks: Int) { slots = Array(repeating: [], count: max(1, ticks)) }

  /// Adds an element. One of the next ticks, as many as there are, gives it back.
  mutating func add(_ element: Element) {
    slots[Int.random(in: slots.indices)].append(element)
    count += 1
  }

  /// Takes out those whose tick it is.
  mutating func tick() -> [Element] {
    defer {
      slots[next] = []
      next = (next + 1) % slots.count
    }
    count -= slots[next].count
    return slots[next]
  }
}
