//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "The example chat", .serialized, .enabled(if: Tool.chromium.isWanted, "Chromium is missing"),
  .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
  .enabled(if: Tool.redis.isWanted, "Redis is missing"), .enabled(if: Tool.nginx.isWanted, "nginx is missing"),
  .timeLimit(.minutes(20)))
struct ChatTests {
  @Test("people on different servers meet: the last 50 messages, who is here, messages both ways, signs of typing")
  func meets() async throws {
    try await ExampleProcess.with("chat") { example in
      var position: String?
      // 60 messages, of six people: so many at once are nobody's too many.
      for number in 0..<6 {
        let chatter = try await Chatter.inside(
          at: example.address, in: "lobby", as: "Early \(number)", id: "early-00\(number)")
        for message in 0..<10 { try chatter.say("early \(number * 10 + message)") }
        if number == 0 { position = try await chatter.frame { $0.text == "early 0" }.position }
        _ = try await chatter.frame { $0.text == "early \(number * 10 + 9)" }
        try await chatter.leave()
      }

      let ada = try await ChatVisitor(at: example.url, in: "lobby", as: "Ada")
      #expect(try await ada.texts() == (10..<60).map { "early \($0)" })
      let grace = try await ChatVisitor(at: example.url, in: "lobby", as: "Grace")
      let ida = try await Chatter.inside(at: example.address, in: "lobby", as: "Ida", id: "00000000-ida")
      let welcome = try #require(try ida.frames().first)
      #expect(Set([try await ada.server(), try await grace.server(), welcome.server]).count == 3)
      #expect(try ida.frames().filter { $0.type == "message" }.count == 50)
      for visitor in [ada, grace] { try await visitor.wait(forPeople: 3) }
      #expect(try await ada.people() == ["Ada (you)", "Grace", "Ida"])
      #expect(try await grace.people() == ["Ada", "Grace (you)", "Ida"])

      try await grace.browser.type("Hel", into: "#text")
      try await ada.browser.wait(until: typing("Grace is typing…"))
      // Never to the typist; and it goes by itself.
      #expect(try await grace.browser.evaluate(typing("")) == "true")
      try await ada.browser.wait(until: typing(""))
      for (number, text) in conversation.enumerated() {
        switch number % 3 {
        case 0: try await ada.say(text)
        case 1: try await grace.say(text)
        default: try ida.say(text)
        }
        for visitor in [ada, grace] { try await visitor.wait(for: text) }
        #expect(try await ida.frame { $0.text == text }.from?.name == ["Ada", "Grace", "Ida"][number % 3])
      }
      try ida.send(raw: #"{"type": "typing"}"#)
      try await ada.browser.wait(until: typing("Ida is typing…"))
      try await screenshot(of: ada)

      // Who comes back gets all that he has missed, and not the last 50 alone; who has been away for too long is told so.
      let first = try #require(position)
      let back = try await Chatter(at: example.address, in: "lobby", as: "Early 0", id: "early-000", after: first)
      _ = try await back.frame { $0.type == "ready" }
      #expect(try messages(of: back) == (1..<60).map { "early \($0)" } + conversation)
      #expect(try back.frames().allSatisfy { $0.type != "missed" })
      try await back.leave()
      let late = try await Chatter(at: example.address, in: "lobby", as: "Early 0", id: "early-000", after: "1-1")
      _ = try await late.frame { $0.type == "ready" }
      #expect(try late.frames().first { ["missed", "message"].contains($0.type) }?.type == "missed")
      #expect(try messages(of: late).count == 60 + conversation.count)
      try await late.leave()

      // Another room is another conversation; who leaves is gone at once.
      let other = try await Chatter.inside(at: example.address, in: "kitchen", as: "Ida", id: "00000000-ida")
      #expect(try other.frames().allSatisfy { $0.type != "message" })
      #expect(try await Curl.run(["\(example.url)/rooms"]).body == #"{"rooms":["kitchen","lobby"]}"#)
      try await ida.leave()
      try await ada.wait(forPeople: 2)
      for visitor in [ada, grace] {
        #expect(try await visitor.browser.problems() == [])
        try await visitor.browser.close()
      }
      try await other.leave()
    }
  }

  @Test(
    "a server that is killed while people talk: they come back through the others, and nothing is lost, doubled or swapped"
  )
  func survivesKill() async throws {
    try await ExampleProcess.with("chat") { example in
      let count = 24
      let ada = try await ChatVisitor(at: example.url, in: "lobby", as: "Ada")
      let grace = try await ChatVisitor(at: example.url, in: "lobby", as: "Grace")
      let ida = try await Chatter.inside(at: example.address, in: "lobby", as: "Ida", id: "00000000-ida")
      let doomed = try await ada.server()
      // Somebody at the same server, who does not come back.
      let gone = try await Chatter.inside(
        at: server(doomed, of: example).address, in: "lobby", as: "Gone", id: "00000000-gone")
      for visitor in [ada, grace] { try await visitor.wait(forPeople: 4) }
      try await grace.watchPeople()

      // What two messages in a second need is what everybody may say for long.
      try await ada.keepSaying("ada", count: count, every: 520)
      try await grace.keepSaying("grace", count: count, every: 520)
      for number in 0..<count { try ida.say("ida \(number)") }
      _ = try await ida.frame { $0.text == "ada 4" }
      try await kill(doomed, of: example)
      let killed = ContinuousClock.now
      try await example.script.line(containing: "server \(doomed) (process ")

      for visitor in [ada, grace] { try await visitor.wait(forMessages: 3 * count) }
      #expect(try await ada.server() != doomed)
      let texts = try await ada.texts()
      #expect(try await grace.texts() == texts)
      while try messages(of: ida).count < 3 * count { _ = try await ida.frame { $0.type == "message" } }
      #expect(try messages(of: ida) == texts)
      // Each of them once, and in the order in which they were said.
      for name in ["ada", "grace", "ida"] {
        #expect(texts.filter { $0.hasPrefix("\(name) ") } == (0..<count).map { "\(name) \($0)" })
      }

      // The dead server's lease takes along who did not come back, and nobody else. All the while nobody is there twice.
      try await grace.wait(forPeople: 3)
      #expect(ContinuousClock.now - killed < .seconds(30))
      // A second sweep over the leases would come within 3 s: who is there by a server that lives must not go with it.
      try await Task.sleep(for: .seconds(4))
      #expect(try await grace.people() == ["Ada", "Grace (you)", "Ida"])
      #expect(try await grace.peopleSeen().allSatisfy { ["Ada Gone Grace Ida", "Ada Grace Ida"].contains($0) })
      for visitor in [ada, grace] {
        #expect(try await visitor.browser.problems() == [])
        try await visitor.browser.close()
      }
      try await gone.leave()
      try await ida.leave()
    }
  }

  @Test("while Redis is away the page says so, to somebody who says nothing too")
  func losesRedis() async throws {
    try await RedisServer.with { redis in
      try await ExampleProcess.with("chat", environment: ["REDIS_URL": redis.url]) { example in
        let ada = try await ChatVisitor(at: example.url, in: "lobby", as: "Ada")
        try await redis.kill()
        try await ada.browser.wait(
          until: "document.querySelector('#state').textContent === 'No message gets through now'")
        try await redis.start()
        try await ada.waitUntilConnected()
        try await ada.say("Here again.")
        try await ada.wait(for: "Here again.")
        #expect(try await ada.browser.problems() == [])
        try await ada.browser.close()
      }
    }
  }

  @Test("what is meant ill is shown as text, or refused with the reason")
  func standsHostileInput() async throws {
    try await ExampleProcess.with("chat") { example in
      let ada = try await ChatVisitor(at: example.url, in: "lobby", as: "Ada", width: 360, height: 740)
      let markup = "<img src=x onerror=harmed=1>"
      let mallory = try await Chatter.inside(at: example.address, in: "lobby", as: markup, id: "mallory-1")
      try mallory.say("<script>window.harmed = 2</script><b id=bold>bold</b>")
      try mallory.say(String(repeating: "wide", count: 500))
      try await ada.wait(for: String(repeating: "wide", count: 500))
      try await ada.wait(for: "<script>window.harmed = 2</script><b id=bold>bold</b>")
      #expect(try await ada.people().contains(markup))
      #expect(
        try await ada.browser.evaluate("document.querySelectorAll('#inside img, #inside script, #bold').length") == "0")
      #expect(try await ada.browser.evaluate("typeof window.harmed") == "undefined")
      #expect(try await ada.browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth") == "true")

      // What is said twice, by who did not know whether it was, is shown once.
      for _ in 0..<2 { try mallory.send(raw: say("said twice", id: "message-twice")) }
      try mallory.say("said behind it")
      try await ada.wait(for: "said behind it")
      #expect(try await ada.texts().filter { $0 == "said twice" }.count == 1)
      #expect(try mallory.frames().filter { $0.text == "said twice" }.count == 2)

      // Two of one name are told apart.
      let double = try await Chatter.inside(at: example.address, in: "lobby", as: " Ada ", id: "mallory-2")
      #expect(double.person.id != "")
      try await ada.wait(forPeople: 3)
      #expect(try await ada.people().contains("Ada #ry-2"))

      // Frames.
      for (frame, code) in [
        ("no JSON", "invalid_frame"), (#"{"type": "shout"}"#, "unknown_type"),
        (say("", id: "message-1"), "invalid_text"),
        (say(String(repeating: "a", count: 2_001), id: "message-2"), "invalid_text"), (say("a", id: "1"), "invalid_id"),
        (#"{"type": "say", "id": "message-3", "text": "a\u001b[31m"}"#, "invalid_text"),
      ] {
        try double.send(raw: frame)
        let error = try await double.frame { $0.type == "error" }
        #expect(error.code == code)
      }
      for number in 0..<11 { try double.send(raw: say("fast \(number)", id: "message-fast-\(number)")) }
      let tooFast = try await double.frame { $0.type == "error" }
      #expect(tooFast.code == "too_fast" && tooFast.id == "message-fast-10" && (tooFast.retryAfter ?? 0) > 0)
      for _ in 0..<2 { try double.send(raw: #"{"type": "typing"}"#) }
      _ = try await double.frame { $0.code == "too_fast" && $0.id == nil }
      // A page says later what it said too fast, in the order.
      for number in 0..<12 { try await ada.say("page \(number)") }
      try await ada.wait(for: "page 11")
      #expect(try await ada.texts().filter { $0.hasPrefix("page") } == (0..<12).map { "page \($0)" })
      // Who does not listen to refusals is let go; and who sends too much at once.
      for _ in 0..<60 { try double.send(raw: "no JSON") }
      #expect(try await double.line(containing: "lost ") == "lost 1008")
      try mallory.send(raw: say(String(repeating: "a", count: 40_000), id: "message-4"))
      #expect(try await mallory.line(containing: "lost ") == "lost 1009")

      // At the door.
      for (room, name, id, code) in [
        ("Lobby", "Mallory", "mallory-3", "invalid_room"), ("a/b", "Mallory", "mallory-3", "invalid_room"),
        ("lobby", " ", "mallory-3", "invalid_name"), ("lobby", "a\u{202e}b", "mallory-3", "invalid_name"),
        ("lobby", String(repeating: "a", count: 33), "mallory-3", "invalid_name"),
        ("lobby", "Mallory", "3", "invalid_id"),
      ] {
        let refused = try await Chatter(at: example.address, in: room, as: name, id: id)
        let line = try await refused.line(containing: "refused 400")
        #expect(line.contains(code))
      }
      let lost = try await Chatter(at: example.address, in: "lobby", as: "Lost", id: "00000000-lost", after: "a place")
      #expect(try await lost.line(containing: "refused 400").contains("invalid_position"))
      #expect(try await ada.browser.problems() == [])
      try await ada.browser.close()
    }
  }

  // MARK: Helpers

  /// What Ada, Grace and Ida say in turn.
  private let conversation = [
    "Good morning. Which server are you on? I am told mine by the line at the top.",
    "On another one, and I hear you all the same.",
    "On the third. I came late, and had your last 50 messages before I could say hello.",
    "Then let us kill mine and see what becomes of me.",
    "Done. It took you a fifth of a second to come back, and nothing is missing here.",
    "Nor here. The list never had you twice.",
    "I did say something in that very moment.",
    "It is there, once.",
    "So the position in the history is all that a page has to keep. Good.",
  ]

  private func typing(_ text: String) -> String { "document.querySelector('#typing').textContent === '\(text)'" }

  private func say(_ text: String, id: String) -> String { #"{"type": "say", "id": "\#(id)", "text": "\#(text)"}"# }

  private func messages(of chatter: Chatter) throws -> [String] {
    // A reader passes over what it has had already.
    var seen: Set<String> = []
    return try chatter.frames().filter {
      $0.type == "message" && seen.insert("\($0.from?.id ?? "") \($0.id ?? "")").inserted
    }
    .compactMap(\.text)
  }

  /// What the script says of a server: `server one: process 1234, http://127.0.0.1:40001`.
  private func server(_ name: String, of example: ExampleProcess) throws -> (process: String, address: String) {
    let line = try #require(example.script.transcript().first { $0.hasPrefix("server \(name): process ") })
    let words = line.split(whereSeparator: { $0 == " " || $0 == "," })
    return (process: String(words[3]), address: String(words[4].dropFirst("http://".count)))
  }

  private func kill(_ name: String, of example: ExampleProcess) async throws {
    let kill = try await ChildProcess("/bin/kill", ["-9", try server(name, of: example).process])
    #expect(try await kill.exit() == .code(0))
  }

  private func screenshot(of visitor: ChatVisitor) async throws {
    guard let folder = currentEnvironment()["BROADCAST_SCREENSHOTS"] else { return }
    try await visitor.browser.screenshot(to: "\(folder)/Chat.png")
  }
}
