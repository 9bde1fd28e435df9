//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "In a terminal", .timeLimit(.minutes(3)), .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
struct TerminalTests {
  @Test("messages can't command the terminal, and binary ones are described")
  func harmless() async throws {
    let server = try await ServerProcess()
    let terminal = try await Terminal(["subscribe", server.url, "events", "-n", "3"])
    try await terminal.line(containing: "broadcast: subscribed to events")
    for (arguments, shown) in [
      (["\u{1b}[2J\u{7}"], #"\u001b[2J\u0007"#), (["two\nlines"], #"two\nlines"#),
      (["raw", "--binary"], "(binary, 3 bytes)"),
    ] {
      let publisher = try await ServerProcess.command(["publish", server.url, "events"] + arguments)
      #expect(try await publisher.exit() == .code(0))
      #expect(try await terminal.line(containing: "") == shown)
    }
    #expect(try await terminal.exit() == 0)
    try await server.stop()
  }

  @Test("Ctrl-C ends a subscription at once, as the signal does")
  func interruptsSubscription() async throws {
    let server = try await ServerProcess()
    let terminal = try await Terminal(["subscribe", server.url, "events"])
    try await terminal.line(containing: "subscribed to events")
    try terminal.press(.controlC)
    #expect(try await terminal.exit() == 130)
    try await server.stop()
  }

  @Test("lines that are typed are sent one by one, until Ctrl-D")
  func typing() async throws {
    let server = try await ServerProcess()
    let subscriber = try await ServerProcess.command(["subscribe", server.url, "events"])
    try await subscriber.line(.errors, containing: "subscribed to events")
    let terminal = try await Terminal(["publish", server.url, "events"])
    try await terminal.line(containing: "reading lines until Ctrl-D")
    for line in ["first", "second"] {
      try terminal.type(line)
      #expect(try await subscriber.line() == line)
    }
    try terminal.press(.controlD)
    #expect(try await terminal.exit() == 0)
    try await server.stop()
  }

  @Test("Ctrl-C while typing says what was sent, and ends it as the signal does")
  func interruptsTyping() async throws {
    let server = try await ServerProcess()
    let subscriber = try await ServerProcess.command(["subscribe", server.url, "events"])
    try await subscriber.line(.errors, containing: "subscribed to events")
    let terminal = try await Terminal(["publish", server.url, "events"])
    try await terminal.line(containing: "reading lines until Ctrl-D")
    try terminal.type("first")
    #expect(try await subscriber.line() == "first")
    try terminal.type("second")
    #expect(try await subscriber.line() == "second")
    try terminal.press(.controlC)
    #expect(try await terminal.exit() == 130)
    #expect(terminal.screen.contains { $0.contains("nothing from line 3 on was sent") }, "\(terminal.screen)")
    try await server.stop()
  }

  @Test("a server that isn't there is told before anything is typed")
  func deadServer() async throws {
    let server = try await ServerProcess()
    try await server.kill()
    let terminal = try await Terminal(["publish", server.url, "events"])
    #expect(try await terminal.exit() == 7)
    #expect(!terminal.screen.contains { $0.contains("Ctrl-D") })
  }

  @Test("bytes as they are don't go to a terminal")
  func binary() async throws {
    let terminal = try await Terminal(["subscribe", "localhost", "events", "--binary"])
    try await terminal.line(containing: "redirect standard output")
    #expect(try await terminal.exit() == 23)
  }
}
