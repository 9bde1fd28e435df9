//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Chat

@Suite("Rules of the chat")
struct RulesTests {
  @Test("rooms and ids are small letters, digits and hyphens of limited length")
  func plainNames() throws {
    #expect(try Rules.room("lobby-2") == "lobby-2")
    for room in ["", "Lobby", "a b", "ä", "a/b", "a.b", String(repeating: "a", count: 33)] {
      #expect(throws: Refusal.self, "\(room)") { try Rules.room(room) }
    }
    #expect(try Rules.id("0a1b2c3d") == "0a1b2c3d")
    for id in [nil, "short", "WITH-CAPITALS", String(repeating: "a", count: 37)] {
      #expect(throws: Refusal.self, "\(id ?? "nil")") { try Rules.id(id) }
    }
  }

  @Test(
    "names are trimmed",
    arguments: [("  Ada ", "Ada"), ("Ada Lovelace", "Ada Lovelace"), ("👩‍🚀", "👩‍🚀"), ("<b>", "<b>"), ("محمد", "محمد")])
  func names(name: String, expected: String) throws {
    #expect(try Rules.name(name) == expected)
  }

  @Test(
    "a name has to be seen, and to stay where it is",
    arguments: [
      "", "  ", "\u{200d}", "a\nb", "a\u{7}b", "a\u{202e}b", "a\u{2066}b", "a\u{2028}b", "\u{0}",
      String(repeating: "a", count: 33), "e" + String(repeating: "\u{301}", count: 32),
    ])
  func badNames(name: String) {
    #expect(throws: Refusal.self) { try Rules.name(name) }
  }

  @Test("texts have 1 to 2,000 scalars, of which line feeds and tabs are the only control characters")
  func texts() throws {
    #expect(try Rules.text(" a\n\tb\n") == "a\n\tb")
    #expect(try Rules.text(String(repeating: "😀", count: 2_000)).unicodeScalars.count == 2_000)
    for text in [nil, "", " \n ", String(repeating: "a", count: 2_001), "a\u{0}", "a\u{1b}[31m", "a\u{85}b"] {
      #expect(throws: Refusal.self, "\(text ?? "nil")") { try Rules.text(text) }
    }
  }
}

@Suite("Frames of clients")
struct ClientFrameTests {
  private func frame(_ json: String) throws -> ClientFrame { try ClientFrame(json: Array(json.utf8)) }

  @Test("what somebody says, and that somebody types")
  func frames() throws {
    #expect(try frame(#"{"type": "say", "id": "00000001", "text": " hi "}"#) == .say(id: "00000001", text: "hi"))
    #expect(try frame(#"{"type": "typing", "more": [1, {}]}"#) == .typing)
  }

  @Test(
    "all else is refused, with what is wrong",
    arguments: [
      ("", "invalid_frame"), ("[]", "invalid_frame"), ("{}", "invalid_frame"), ("say", "invalid_frame"),
      (#"{"type": 1}"#, "invalid_frame"), (#"{"type": "say", "id": 1, "text": "a"}"#, "invalid_frame"),
      (#"{"type": "shout"}"#, "unknown_type"), (#"{"type": "say", "text": "a"}"#, "invalid_id"),
      (#"{"type": "say", "id": "00000001"}"#, "invalid_text"),
      (String(repeating: "[", count: 30_000), "invalid_frame"),
    ])
  func refused(json: String, code: String) {
    #expect(throws: Refusal.self) {
      do { _ = try frame(json) } catch let refusal as Refusal {
        #expect(refusal.code == code)
        throw refusal
      }
    }
  }
}

@Suite("Limits of a socket")
struct RateLimitTests {
  @Test("so many at once, then one after the other")
  func spends() {
    var limit = RateLimit(10, in: .seconds(5))
    let start = ContinuousClock.now
    /// How many are given at a moment, and after how long there is another.
    func takeAll(at moment: ContinuousClock.Instant) -> (count: Int, wait: Duration) {
      var count = 0
      while true {
        if let wait = limit.take(at: moment) { return (count, wait) }
        count += 1
      }
    }
    let first = takeAll(at: start)
    #expect(first.count == 10)
    #expect(abs(first.wait / .seconds(0.5) - 1) < 0.001)
    // Who is refused has not spent any.
    #expect(takeAll(at: start + .milliseconds(490)).count == 0)
    #expect(takeAll(at: start + .milliseconds(501)).count == 1)
    // A long rest gives no more than the interval does.
    #expect(takeAll(at: start + .seconds(3_600)).count == 10)
  }

  @Test("an error says after how long; who goes on all the same is let go")
  func refuses() throws {
    var limits = SocketLimits()
    let now = ContinuousClock.now
    for number in 0..<10 { try limits.check(.say(id: "0000000\(number)", text: "a"), at: now) }
    let refusal = refusal { () throws(Refusal) in try limits.check(.say(id: "00000010", text: "a"), at: now) }
    #expect(refusal?.code == "too_fast")
    #expect(refusal?.retryAfter == 500)
    try limits.check(.typing, at: now)
    #expect(self.refusal { () throws(Refusal) in try limits.check(.typing, at: now + .milliseconds(900)) } != nil)
    try limits.check(.typing, at: now + .milliseconds(1_001))

    var count = 0
    while limits.mayGoOn(at: now) { count += 1 }
    #expect(count == 50)
  }

  private func refusal(_ body: () throws(Refusal) -> Void) -> Refusal? {
    do {
      try body()
      return nil
    } catch { return error }
  }
}
