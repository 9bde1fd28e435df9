//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingRedis

@Suite("Announced positions")
struct AnnouncementsTests {
  private let names = KeyNames(prefix: "p:", database: 0)
  private var announcements = Announcements()

  private func kept(_ channel: Channel) -> KeptChannel { KeptChannel(channel, HistoryPolicy(), names) }

  init() {
    for channel in ["a", "b"] as [Channel] { announcements.listen(to: kept(channel)) }
  }

  private mutating func announce(_ text: String, on channel: Channel = "a") {
    Array(text.utf8).withUnsafeBytes { text in
      kept(channel).announcements.withUnsafeBytes { announcements.announced(text, on: $0) }
    }
  }

  private mutating func take(_ bytes: Int, on channel: String = "a") -> String? {
    Array(channel.utf8).withUnsafeBytes { announcements.takePosition(on: $0, bytes: bytes)?.description }
  }

  @Test("an announcement is for the next message of its channel and size, once")
  mutating func once() {
    announce("17-4 5")
    #expect(take(5) == "17-4")
    #expect(take(5) == nil)
    announce("17-5 0")
    #expect(take(0) == "17-5")
    announce("9007199254740991-9007199254740991 536870912", on: "b")
    #expect(take(536_870_912, on: "b") == "9007199254740991-9007199254740991")
  }

  @Test("a message of another size or channel is none of it, and leaves it")
  mutating func others() {
    announce("17-4 5")
    #expect(take(4) == nil)
    #expect(take(5, on: "b") == nil)
    #expect(take(5) == "17-4")
  }

  @Test("the last announcement counts, also one that withdraws what was announced, and one that says nothing")
  mutating func last() {
    announce("17-4 5")
    announce("17-5 5")
    #expect(take(5) == "17-5")
    for nothing in ["-", "", "17-4", "17-4 ", " 5", "17 5", "17-x 5", "17-4 5 ", "17-4 -5", "18446744073709551616-1 5"]
    {
      announce("17-4 5")
      announce(nothing)
      #expect(take(5) == nil, "\(nothing)")
    }
  }

  @Test("what was announced before a channel was confirmed, or after it was given up, is for nobody")
  mutating func membership() {
    announce("17-4 5")
    announcements.confirmed(Array("b".utf8))
    #expect(take(5) == "17-4")
    announce("17-5 5")
    announcements.confirmed(Array("a".utf8))
    #expect(take(5) == nil)
    announce("17-6 5")
    announcements.forget(kept("a"))
    #expect(take(5) == nil)
    announce("17-7 5")
    #expect(take(5) == nil)
    announcements.listen(to: kept("a"))
    announce("17-8 5")
    #expect(take(5) == "17-8")
    #expect(!announcements.isEmpty)
    for channel in ["a", "b"] as [Channel] { announcements.forget(kept(channel)) }
    #expect(announcements.isEmpty)
  }
}
