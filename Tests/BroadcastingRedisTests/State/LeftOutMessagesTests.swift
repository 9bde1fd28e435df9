//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingRedis

@Suite("Messages that are left out")
struct LeftOutMessagesTests {
  @Test("are told with the first, and whenever their number has doubled")
  func doubling() {
    var messages = LeftOutMessages()
    #expect((1...100).compactMap { _ in messages.add() } == [1, 2, 4, 8, 16, 32, 64])
  }
}
