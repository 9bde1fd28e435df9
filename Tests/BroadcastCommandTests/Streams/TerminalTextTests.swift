//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("Text for a terminal")
struct TerminalTextTests {
  @Test(
    "what a terminal would act on is escaped",
    arguments: [
      ("\u{1b}[2J", #"\u001b[2J"#), ("a\nb\rc", #"a\nb\rc"#), ("\u{7}\u{8}\0", #"\u0007\u0008\u0000"#),
      ("\u{7f}", #"\u007f"#), ("\u{9b}31m", #"\u009b31m"#), ("\u{202e}abc", #"\u202eabc"#),
      ("\u{2066}a\u{2069}", #"\u2066a\u2069"#), ("\u{2028}", #"\u2028"#),
    ])
  func escapes(text: String, shown: String) {
    #expect(TerminalText.escape(text) == shown)
  }

  @Test(
    "all else stays as it is",
    arguments: [
      "", "plain", "a\tb", "grüße", "日本語", "\u{1f469}\u{200d}\u{1f680}", "e\u{301}", #"{"a":"\\"}"#, "\u{a0}",
    ])
  func keeps(text: String) {
    #expect(Array(TerminalText.escape(text).utf8) == Array(text.utf8))
  }
}
