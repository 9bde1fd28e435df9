//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

@Suite("The slots of a driver's calls", .timeLimit(.minutes(1)))
struct CallSlotsTests {
  @Test("a slot that is given back is taken by who waits for it")
  func handedOver() async {
    let slots = CallSlots(count: 1)
    for _ in 0..<100 {
      await slots.take()
      async let next: Void = slots.take()
      await Task.yield()
      slots.give()
      await next
      slots.give()
    }
  }
}
