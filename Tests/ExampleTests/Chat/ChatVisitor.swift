//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport

/// Somebody in a room of the chat, by its page in a browser.
struct ChatVisitor: Sendable {
  let browser: Browser

  /// Opens the page, gives a name, and comes into the room.
  init(at url: String, in room: String, as name: String, width: Int = 1000, height: Int = 700) async throws {
    browser = try await Browser(width: width, height: height)
    try await browser.open(url)
    try await browser.type(name, into: "#name")
    try await browser.type(room, into: "#room")
    try await browser.click("#entering button.strong")
    try await waitUntilConnected()
  }

  func waitUntilConnected() async throws { try await browser.wait(until: "\(Self.at("#state")).className === 'open'") }

  /// Which server it talks to.
  func server() async throws -> String { try await browser.evaluate("\(Self.at("#state")).dataset.server") }

  func say(_ text: String) async throws {
    try await browser.type(text, into: "#text")
    try await browser.click("#say")
  }

  /// Says `NAME 0`, `NAME 1` and so on, each by the page's own form, one every so many milliseconds.
  func keepSaying(_ name: String, count: Int, every pause: Int) async throws {
    _ = try await browser.evaluate(
      """
      (number => { const saying = setInterval(() => { \
      document.querySelector('#text').value = '\(name) ' + number++; \
      document.querySelector('#saying').requestSubmit(); \
      if (number === \(count)) clearInterval(saying); }, \(pause)) })(0), 0
      """)
  }

  /// What it shows of the conversation, and nobody still has to confirm, the oldest first.
  func texts() async throws -> [String] {
    try await list("#log .said:not(.pending) .body")
  }

  func wait(for text: String) async throws {
    try await browser.wait(until: "\(Self.all("#log .said:not(.pending) .body")).includes(\(Self.literal(text)))")
  }

  func wait(forMessages count: Int) async throws {
    try await browser.wait(until: "\(Self.all("#log .said:not(.pending)")).length >= \(count)")
  }

  /// The names of who is here, as they are shown, in alphabetical order.
  func people() async throws -> [String] {
    // On a phone the list is shut until somebody wants it.
    _ = try await browser.evaluate("\(Self.at("#who")).open = true")
    return try await list("#people .who")
  }

  func wait(forPeople count: Int) async throws {
    try await browser.wait(until: "\(Self.all("#people li")).length === \(count)")
  }

  /// Keeps every list of people that is shown from now on, for ``peopleSeen()``.
  func watchPeople() async throws {
    _ = try await browser.evaluate(
      """
      window.seen = [], new MutationObserver(() => window.seen.push(\(Self.all("#people .who b")).join(' '))).observe(\
      document.querySelector('#people'), { childList: true, subtree: true }), 0
      """)
  }

  func peopleSeen() async throws -> [String] {
    try await browser.evaluate("[...new Set(window.seen)].join('\\u001f')").split(separator: "\u{1f}").map(String.init)
  }

  private func list(_ selector: String) async throws -> [String] {
    try await browser.evaluate("\(Self.all(selector)).join('\\u001f')").split(separator: "\u{1f}").map(String.init)
  }

  private static func at(_ selector: String) -> String { "document.querySelector('\(selector)')" }

  /// The texts of all that the selector finds, without what is hidden in them.
  private static func all(_ selector: String) -> String {
    "[...document.querySelectorAll('\(selector)')].map(e => e.innerText.trim())"
  }

  static func literal(_ text: String) -> String {
    let escaped = text.map { character in
      switch character {
      case "'", "\\": "\\\(character)"
      case "\n": "\\n"
      default: String(character)
      }
    }
    return "'\(escaped.joined())'"
  }
}
