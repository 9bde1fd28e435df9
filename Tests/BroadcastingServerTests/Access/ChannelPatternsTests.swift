//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import BroadcastingServer

@Suite("Patterns of channels")
struct ChannelPatternsTests {
  private func allows(_ patterns: [String], _ channel: String) throws -> Bool {
    try ChannelPatterns(patterns).allows(channel.utf8)
  }

  @Test("without patterns every channel goes")
  func none() throws {
    #expect(try allows([], "anything"))
    #expect(ChannelPatterns.all.allows("é".utf8))
  }

  @Test(
    "a star stands for any bytes, none too",
    arguments: [
      ("events", "events", true), ("events", "event", false), ("events", "events2", false), ("events", "Events", false),
      ("*", "", true),
      ("*", "a.b", true), ("chat.*", "chat.", true), ("chat.*", "chat.a.b", true), ("chat.*", "chat", false),
      ("chat.*", "xchat.a", false),
      ("*.log", "a.log", true), ("*.log", ".log", true), ("*.log", "a.logs", false), ("a*c", "ac", true),
      ("a*c", "abc", true),
      ("a*c", "abcb", false), ("a*b*c", "aXbYbZc", true), ("a*b*c", "acb", false), ("**", "x", true),
      ("*a*a*", "aba", true), ("*a*a*", "ab", false),
      ("a**b", "ab", true), ("é*", "é1", true), ("*\u{301}", "e\u{301}", true), ("\u{e9}", "e\u{301}", false),
      ("a.c", "abc", false),
      ("a?c", "abc", false), ("[ab]", "a", false), ("*aab", "aaaab", true),
    ])
  func stars(pattern: String, channel: String, isAllowed: Bool) throws {
    #expect(try allows([pattern], channel) == isAllowed)
  }

  @Test("one pattern of several is enough")
  func several() throws {
    #expect(try allows(["a", "b.*"], "b.c"))
    #expect(try !allows(["a", "b.*"], "c"))
  }

  @Test("agrees with a plain recursive matcher")
  func agreesWithPlainMatcher() throws {
    func plain(_ pattern: Substring, _ name: Substring) -> Bool {
      guard let first = pattern.first else { return name.isEmpty }
      if first == "*" { return plain(pattern.dropFirst(), name) || (!name.isEmpty && plain(pattern, name.dropFirst())) }
      return name.first == first && plain(pattern.dropFirst(), name.dropFirst())
    }
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<5_000 {
      let pattern = String(
        (0..<Int.random(in: 1...7, using: &random)).map { _ in "ab**".randomElement(using: &random) ?? "a" })
      let name = String(
        (0..<Int.random(in: 0...8, using: &random)).map { _ in "ab".randomElement(using: &random) ?? "a" })
      #expect(try allows([pattern], name) == plain(pattern[...], name[...]), "seed \(seed): \(pattern) on \(name)")
    }
  }

  @Test("many stars take no longer than both lengths together allow")
  func manyStars() throws {
    let pattern = String(repeating: "*a", count: 127)
    #expect(try !allows([pattern], String(repeating: "a", count: 126) + String(repeating: "b", count: 129)))
  }

  @Test("what is no pattern is refused", arguments: ["", "a\u{0}b", String(repeating: "x", count: 256)])
  func bad(pattern: String) throws {
    let error = try #require(throws: ChannelPatternsError.self) { try ChannelPatterns(["a", pattern]) }
    #expect(error.code == .invalidPattern)
  }

  @Test("there is a limit to their number")
  func tooMany() throws {
    _ = try ChannelPatterns(Array(repeating: "a", count: ChannelPatterns.maxCount))
    let error = try #require(throws: ChannelPatternsError.self) {
      try ChannelPatterns(Array(repeating: "a", count: ChannelPatterns.maxCount + 1))
    }
    #expect(error.code == .tooMany)
  }
}
