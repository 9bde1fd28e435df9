//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

@Suite("Patterns of channels")
struct GlobTests {
  @Test(
    "a pattern matches as Redis does",
    arguments: [
      ("a", "a", true), ("a", "b", false), ("a", "aa", false), ("aa", "a", false), ("*", "anything", true),
      ("a*", "a", true), ("*a", "a", true), ("a**", "ab", true), ("**", "a", true), ("a*b", "ab", true),
      ("a*b", "axxb", true), ("a*b", "axxbc", false), ("*b*", "abc", true), ("?", "a", true), ("?", "ab", false),
      ("a?c", "abc", true), ("?*", "a", true), ("a?", "a", false), ("*?", "a", true),
      // Bytes, not characters.
      ("?", "\u{E9}", false), ("??", "\u{E9}", true), ("*\u{E9}", "caf\u{E9}", true),
      ("[abc]", "b", true), ("[abc]", "d", false), ("[a-c]x", "bx", true), ("[a-c]", "d", false), ("[c-a]", "b", true),
      ("[^a]", "b", true), ("[^a]", "a", false), ("[^a]", "bb", false), ("[a^]", "^", true),
      ("news.[0-9]*", "news.2026", true), ("news.[0-9]*", "news.x", false),
      // A set that is empty, and one that is not closed.
      ("[]", "a", false), ("[]a]", "a", false), ("[^]", "a", true), ("[", "a", false), ("[^", "a", true),
      ("[abc", "c", true), ("[abc", "d", false), ("x[ab", "xb", true),
      // A range that reaches over the bracket.
      ("[a-]", "]", true), ("[a-]", "_", true), ("[a-]", "-", false), ("[-a]", "-", true), ("[a-c-e]", "-", true),
      ("\\*", "*", true), ("\\*", "a", false), ("\\", "\\", true), ("a\\", "a\\", true), ("\\\\", "\\", true),
      ("[\\]]", "]", true), ("[\\^]", "^", true), ("[\\-a]", "-", true), ("[a\\-z]", "m", false),
      ("[a\\-z]", "z", true),
      ("[\\", "\\", true),
      ("*a*a*a*b", "aaaaaaaaaaaa", false), ("*abab", "abaabab", true), ("a*?b", "ab", false), ("[*]", "*", true),
      ("[?]", "a", false),
    ])
  func table(_ glob: String, _ name: String, _ isMatch: Bool) {
    #expect(ChannelPattern(glob).matches(Channel(name)) == isMatch)
  }

  @Test("a pattern of random bytes matches what trying all ways finds")
  func random() {
    var random = SystemRandomNumberGenerator()
    let alphabet = Array("ab*?[]^-\\c".utf8)
    var matches = 0
    for _ in 0..<50_000 {
      let glob = (0..<Int.random(in: 1...9, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      let name = (0..<Int.random(in: 1...7, using: &random)).map { _ in
        Array("abc-]".utf8).randomElement(using: &random) ?? 0
      }
      let expected = matchesByTryingAll(glob[...], name[...])
      let found = name.withUnsafeBufferPointer { Glob(glob).matches($0) }
      if found { matches += 1 }
      if found != expected {
        Issue.record("\(String(decoding: glob, as: UTF8.self)) and \(String(decoding: name, as: UTF8.self)): \(found)")
      }
    }
    #expect(matches > 1_000)
  }

  /// Straight from the definition, and as slow as that is.
  private func matchesByTryingAll(_ glob: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
    guard let first = glob.first else { return name.isEmpty }
    let rest = glob.dropFirst()
    if first == UInt8(ascii: "*") {
      return (0...name.count).contains { matchesByTryingAll(rest, name.dropFirst($0)) }
    }
    guard let byte = name.first else { return false }
    switch first {
    case UInt8(ascii: "?"): return matchesByTryingAll(rest, name.dropFirst())
    case UInt8(ascii: "["):
      var rest = rest
      let isInverted = rest.first == UInt8(ascii: "^")
      if isInverted { rest = rest.dropFirst() }
      var isIn = false
      while let one = rest.first, one != UInt8(ascii: "]") {
        let set = Array(rest.prefix(3))
        if one == UInt8(ascii: "\\"), set.count > 1 {
          isIn = isIn || byte == set[1]
          rest = rest.dropFirst(2)
        } else if set.count == 3, set[1] == UInt8(ascii: "-") {
          isIn = isIn || (min(one, set[2])...max(one, set[2])).contains(byte)
          rest = rest.dropFirst(3)
        } else {
          isIn = isIn || byte == one
          rest = rest.dropFirst()
        }
      }
      return isIn != isInverted && matchesByTryingAll(rest.dropFirst(), name.dropFirst())
    case UInt8(ascii: "\\"):
      return byte == (rest.first ?? first) && matchesByTryingAll(rest.dropFirst(), name.dropFirst())
    default: return byte == first && matchesByTryingAll(rest, name.dropFirst())
    }
  }

  @Test("the longest pattern of stars ends against the longest name", .timeLimit(.minutes(1)))
  func pathological() {
    let glob = String(repeating: "*a", count: 127) + "b"
    let name = String(repeating: "a", count: 255)
    // Trying all ways would outlast the machine.
    for _ in 0..<1_000 { #expect(!ChannelPattern(glob).matches(Channel(name))) }
  }

  @Test("names for probes match nothing")
  func reserved() {
    #expect(!ChannelPattern("*").matches("__broadcast.1"))
    #expect(!ChannelPattern("__broadcast.1").matches("__broadcast.1"))
  }

  @Test("a pattern is its bytes")
  func equality() {
    #expect(ChannelPattern("\u{E9}") != ChannelPattern("e\u{301}"))
    #expect(Set([ChannelPattern("a*"), ChannelPattern("a*"), ChannelPattern("a**")]).count == 2)
    #expect("\(ChannelPattern("a*"))" == "a*")
  }

  @Test(
    "a pattern that breaks a rule is refused with the rule",
    arguments: [("", "empty"), (String(repeating: "*", count: 256), "255"), ("a\0*", "NUL")])
  func invalid(_ glob: String, _ part: String) throws {
    let error = try #require(throws: BroadcastError.self) { try ChannelPattern(glob).validate() }
    #expect(error.code == .invalidPattern)
    #expect(error.message.contains(part))
  }

  @Test("the longest pattern is allowed", arguments: [String(repeating: "*", count: 255), "a", "[", "\u{E9}"])
  func valid(_ glob: String) throws { try ChannelPattern(glob).validate() }
}
