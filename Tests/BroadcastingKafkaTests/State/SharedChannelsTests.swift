//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingKafka

@Suite("Channels that share a topic")
struct SharedChannelsTests {
  private func target(
    _ channels: inout SharedChannels, _ key: [UInt8], _ partition: Int32 = 0, _ offset: Int64 = 0
  ) -> SharedChannels.Target {
    key.withUnsafeBytes { channels.target($0, partition, offset) }
  }

  @Test("a key is a channel's bytes, and nothing else is it")
  func keys() {
    var channels = SharedChannels()
    channels.add("é", from: nil, number: 1)
    #expect(target(&channels, Array("é".utf8)) == .channel("é"))
    #expect(target(&channels, Array("é".utf8)) == .channel("é"))
    #expect(target(&channels, Array("e\u{301}".utf8)) == .nobody)
    channels.remove("é")
    #expect(target(&channels, Array("é".utf8)) == .nobody)
    #expect(channels.isEmpty)
  }

  @Test(
    "keys that can't be names are told from those of nobody",
    arguments: [[], [0xff], [1, 0], [UInt8](repeating: 65, count: 256)])
  func impossible(key: [UInt8]) {
    var channels = SharedChannels()
    #expect(target(&channels, key) == .impossible)
    #expect(target(&channels, Array("room".utf8)) == .nobody)
  }

  @Test("a later channel gets what lies behind its ends alone, until they are passed")
  func cuts() {
    var channels = SharedChannels()
    channels.add("a", from: nil, number: 1)
    channels.add("b", from: [5, 9], number: 2)
    let b = Array("b".utf8)
    #expect(target(&channels, b, 0, 4) == .nobody)
    #expect(target(&channels, b, 1, 5) == .nobody)
    #expect(target(&channels, b, 0, 5) == .channel("b"))
    // A partition that came later.
    #expect(target(&channels, b, 2, 0) == .channel("b"))
    #expect(target(&channels, Array("a".utf8), 0, 0) == .channel("a"))
    channels.endCut(1, of: "b")
    #expect(target(&channels, b, 0, 4) == .nobody)
    channels.endCut(2, of: "b")
    #expect(target(&channels, b, 0, 4) == .channel("b"))
  }
}
