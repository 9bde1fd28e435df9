//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingServer

@Suite("How many connections the descriptors are enough for")
struct ConnectionLimitTests {
  @Test(
    "beside 64 of the server's own, each loop's queue has 64, or all together half where there are few; one is the least",
    arguments: [
      (20_000, 1, 19_872), (20_000, 4, 19_680), (1024, 1, 896), (1024, 16, 480), (256, 1, 128), (128, 1, 32),
      (128, 8, 32), (67, 1, 2), (65, 1, 1), (64, 1, 1), (10, 2, 1), (.max, 2, .max - 192),
    ])
  func connections(descriptors: Int, loops: Int, connections: Int) {
    #expect(BroadcastServer.connections(withDescriptors: descriptors, loops: loops) == connections)
  }
}
