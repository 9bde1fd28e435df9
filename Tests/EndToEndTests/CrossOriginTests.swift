//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "A page of another origin in Chromium", .enabled(if: Tool.chromium.isWanted, "Chromium is missing"),
  .enabled(if: Tool.python.isWanted, "Python's packages are missing"), .timeLimit(.minutes(3)))
struct CrossOriginTests {
  @Test("it may push JSON and listen with --allow-origin, and read what it is answered; without, it may not")
  func pushes() async throws {
    let home = try await ServerProcess()
    let open = try await ServerProcess(["--allow-origin", home.url, "--max-message", "1000"])
    let closed = try await ServerProcess()
    let browser = try await Browser()
    // Not the page, whose own policy lets it speak to its own server alone.
    try await browser.open("\(home.url)/health")

    #expect(
      try await browser.evaluate(push(#"{"message": "hi"}"#, to: open.url))
        == #"200 {"channel": "events", "message": "\"hi\""}"#)
    #expect(try await browser.evaluate(push("{", to: open.url)).hasPrefix("400 "))
    let large = #"{"message": "' + 'x'.repeat(100000) + '"}"#
    #expect(try await browser.evaluate(push(large, to: open.url)).hasPrefix("413 "))
    #expect(try await browser.evaluate(push(#"{"message": "hi"}"#, to: closed.url)) == "TypeError")
    #expect(try await browser.evaluate(listen(to: open.socketURL)) == "open")
    #expect(try await browser.evaluate(listen(to: closed.socketURL)) == "error")

    try await browser.close()
    for server in [home, open, closed] { try await server.stop() }
  }

  /// The status and the text of the answer; the name of the error where the browser lets nothing be read.
  private func push(_ body: String, to url: String) -> String {
    """
    fetch('\(url)/push', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '\(body)' })\
    .then(async answer => `${answer.status} ${await answer.text()}`, error => error.name)
    """
  }

  private func listen(to url: String) -> String {
    """
    new Promise(done => { const socket = new WebSocket('\(url)'); \
    socket.onopen = () => done('open'); socket.onerror = () => done('error') })
    """
  }
}
