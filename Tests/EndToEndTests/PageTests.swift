//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "The page in Chromium", .enabled(if: Tool.chromium.isWanted, "Chromium is missing"),
  .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
  .enabled(if: Tool.curl.isWanted, "curl is missing"), .timeLimit(.minutes(5)))
struct PageTests {
  @Test("it shows what curl pushes, pushes itself, and comes back by itself after a crash")
  func livesThroughCrash() async throws {
    let first = try await ServerProcess()
    let browser = try await Browser()
    try await browser.open(first.url)
    try await browser.wait(until: page("#state", says: "connected"))

    try await Curl.push(#"{"message": "from curl"}"#, to: first.url)
    try await browser.wait(until: page("#messages", says: "from curl"))

    try await browser.type("from the page", into: "#message")
    try await browser.click("#push")
    try await browser.wait(until: page("#messages", says: "from the page"))

    try await first.kill()
    try await browser.wait(until: "!(\(page("#state", says: "connected")))")

    let second = try await ServerProcess(port: first.port)
    try await browser.wait(until: page("#state", says: "connected"))
    // What came meanwhile was missed: the page says so, before it shows what comes now.
    try await browser.wait(until: page("#messages", says: "missed"))
    try await Curl.push(#"{"message": "after the crash"}"#, to: second.url)
    try await browser.wait(until: page("#messages", says: "after the crash"))

    #expect(try await browser.problems() == [])
    try await browser.close()
    try await second.stop()
  }

  @Test("it begins with the last messages, comes back by position, and says what was missed")
  func showsPast() async throws {
    let keeping = ["--history", "chat.*=100"]
    let server = try await ServerProcess(keeping)
    try await Curl.push(#"{"channel": "chat.a", "message": "from before"}"#, to: server.url)
    try await FaultyProxy.with(to: server.port) { proxy in
      let browser = try await Browser()
      try await browser.open("\(proxy.url)/?channel=other")
      try await browser.wait(until: page("#state", says: "connected"))
      try await browser.type("5", into: "#last")
      try await browser.type("chat.a", into: "#channel")
      try await browser.click("#add button")
      try await browser.wait(until: page("#messages", says: "from before"))
      #expect(try await browser.evaluate("location.search").contains("last=5"))

      await proxy.refuse()
      await proxy.cut()
      try await browser.wait(until: "!(\(page("#state", says: "connected")))")
      try await Curl.push(#"{"channel": "chat.a", "message": "meanwhile"}"#, to: server.url)
      try await proxy.listenAgain()
      // What is noted of the other channel has the word too, and what is noted of this one stands before the message.
      try await browser.wait(until: page("#messages pre", says: "meanwhile"))
      try await browser.wait(until: page("#messages", says: "nothing was missed"))
      #expect(try await browser.evaluate("document.querySelectorAll('#messages pre').length") == "2")

      // A bookmark begins with the past too; a channel that keeps nothing says so, and is listened to.
      try await browser.open("\(proxy.url)/?channel=chat.a&channel=other&last=5")
      try await browser.wait(until: page("#state", says: "connected"))
      try await browser.wait(until: page("#messages pre", says: "meanwhile"))
      try await browser.wait(until: page("#messages", says: "keeps no messages"))
      try await Curl.push(#"{"channel": "other", "message": "heard"}"#, to: server.url)
      try await browser.wait(until: page("#messages", says: "heard"))
      #expect(try await browser.problems() == [])
      try await browser.close()
    }
    try await server.stop()
  }

  @Test("a message is text and never markup")
  func messagesAreText() async throws {
    let server = try await ServerProcess()
    let browser = try await Browser()
    try await browser.open(server.url)
    try await browser.wait(until: page("#state", says: "connected"))
    try await Curl.push(#"{"message": "<img src=x onerror=\"window.harmed=1\"><b id=bold>bold</b>"}"#, to: server.url)
    try await browser.wait(until: page("#messages", says: "<b id=bold>"))
    #expect(try await browser.evaluate("document.querySelectorAll('#messages img, #bold').length") == "0")
    #expect(try await browser.evaluate("typeof window.harmed") == "undefined")
    #expect(try await browser.problems() == [])
    try await browser.close()
    try await server.stop()
  }

  @Test("without /push it shows no form, says so, and still what comes")
  func withoutPush() async throws {
    let server = try await ServerProcess(["--no-push"])
    let browser = try await Browser()
    try await browser.open(server.url)
    try await browser.wait(until: page("#state", says: "connected"))
    #expect(try await browser.evaluate("document.querySelector('#push').checkVisibility()") == "false")
    #expect(try await browser.evaluate("document.querySelector('#curl').checkVisibility()") == "false")
    #expect(try await browser.evaluate("document.querySelector('#no-push').checkVisibility()") == "true")
    let publish = "new WebSocket('\(server.socketURL)').onopen = event => event.target.send('<from a socket>'), 0"
    #expect(try await browser.evaluate(publish) == "0")
    try await browser.wait(until: page("#messages", says: "from a socket"))
    #expect(try await browser.problems() == [])
    try await browser.close()
    try await server.stop()
  }

  @Test("it fits a phone")
  func fitsPhone() async throws {
    let server = try await ServerProcess()
    let browser = try await Browser(width: 360, height: 740)
    try await browser.open(server.url)
    try await browser.wait(until: page("#state", says: "connected"))
    let long = String(repeating: "wide", count: 100)
    for message in ["a message on a phone", long] {
      try await Curl.push(#"{"message": "\#(message)"}"#, to: server.url)
    }
    try await browser.wait(until: page("#messages", says: long))
    #expect(try await browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth") == "true")
    try await browser.screenshot(to: "\(projectFolder)/.build/screenshots/phone.png")
    #expect(try await browser.problems() == [])
    try await browser.close()
    try await server.stop()
  }

  @Test("the content security policy lets nothing in from elsewhere, and nothing out")
  func policyHolds() async throws {
    let server = try await ServerProcess()
    let browser = try await Browser()
    try await browser.open(server.url)
    try await browser.wait(until: page("#state", says: "connected"))
    // The policy is the page's own answer to what a bug in it could fetch or tell.
    for (directive, attempt) in [
      ("img-src", "document.body.append(Object.assign(new Image(), { src: 'http://localhost:1/x.png' }))"),
      ("connect-src", "fetch('http://localhost:1/').catch(() => {})"),
    ] {
      let refused = """
        new Promise(done => { document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective), \
        { once: true }); \(attempt); setTimeout(() => done('nothing'), 20000) })
        """
      #expect(try await browser.evaluate(refused) == directive)
    }
    try await browser.close()
    try await server.stop()
  }

  /// Whether the text of an element contains `text`, whatever the case; as JavaScript.
  private func page(_ selector: String, says text: String) -> String {
    // Its words, not its look: a style may turn them into capitals.
    """
    (document.querySelector('\(selector)')?.textContent ?? '').toLowerCase().split(/\\s+/).join(' ')\
    .match(/(^|[^a-z])\(escaped(text.lowercased()))/) !== null
    """
  }

  private func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      if #"\^$.*+?()[]{}|/"#.contains(character) { result.append("\\") }
      result.append(character)
    }
  }
}
