//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingRedis

@Suite("Names of keys")
struct KeyNamesTests {
  private func key(_ channel: Channel) -> String {
    String(decoding: KeyNames(prefix: "broadcast:", database: 2).key("history", of: channel), as: UTF8.self)
  }

  @Test("a key has the channel's whole name as its hash tag, and no two channels have the same")
  func tags() {
    #expect(key("chat") == "broadcast:history:{chat}")
    #expect(key("a b:é*") == "broadcast:history:{a b:é*}")
    #expect(key("{a}%{") == "broadcast:history:{%7Ba%7D%25%7B}")
    #expect(key("%7Ba%7D") == "broadcast:history:{%257Ba%257D}")
  }

  @Test("a channel of announcements is a reserved one, and names database and prefix")
  func announcements() {
    let names = KeyNames(prefix: "my:", database: 2)
    let kept = KeptChannel("chat", HistoryPolicy(), names)
    #expect(String(decoding: kept.announcements, as: UTF8.self) == "__broadcast.at.2.my:history:{chat}")
  }

  @Test(
    "a prefix that could be taken for something else is refused",
    arguments: ["", "{", "a}", "*", "a b", "a\n", "\u{7F}"])
  func impossible(prefix: String) {
    var configuration = RedisBroadcast.Configuration()
    configuration.keyPrefix = prefix
    #expect(throws: BroadcastError.self) { try RedisBroadcast("redis://a", configuration: configuration) }
  }

  @Test("a prefix has at most 64 bytes")
  func length() throws {
    try KeyNames.validate(prefix: String(repeating: "é", count: 32))
    #expect(throws: BroadcastError.self) { try KeyNames.validate(prefix: String(repeating: "x", count: 65)) }
  }
}
