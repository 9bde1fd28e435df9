//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork

struct TurnQueueTests {
  @Test("elements come out in order while others are added")
  func order() {
    var queue = TurnQueue<Int>()
    var taken: [Int] = []
    queue.append(contentsOf: [0, 1, 2])
    while let next = queue.popFirst() {
      taken.append(next)
      if next < 10 { queue.append(next + 3) }
    }
    #expect(taken == Array(0...12))
    #expect(queue.isEmpty)
  }

  @Test("what was taken is not kept alive by an empty queue")
  func lifetime() {
    final class Thing {}
    var queue = TurnQueue<Thing>()
    weak var thing: Thing?
    do {
      let made = Thing()
      thing = made
      queue.append(made)
    }
    var taken = queue.popFirst()
    #expect(taken != nil)
    taken = queue.popFirst()
    #expect(taken == nil)
    #expect(thing == nil)
  }
}
