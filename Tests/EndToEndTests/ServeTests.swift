//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("broadcast serve", .timeLimit(.minutes(3)))
struct ServeTests {
  @Test(
    "what it cannot serve ends it with one line that says why",
    arguments: [
      (["kafkaesque://x"], "kafkaesque", 64), (["memory://somewhere"], "memory://", 64), (["no url"], "scheme", 64),
      (["--insecure", "kafkaesque://x"], "kafkaesque", 64), (["--max-message", "8MiB"], "--max-backlog", 64),
      (["--host", "no.such.host.invalid", "--insecure"], "no.such.host.invalid", 1),
      (["--host", "192.0.2.1", "--insecure"], "192.0.2.1", 1),
    ])
  func refuses(arguments: [String], word: String, code: Int32) async throws {
    let process = try await ServerProcess.command(["serve", "--port", "0"] + arguments)
    #expect(try await process.exit() == .code(code))
    #expect(process.transcript().isEmpty)
    let lines = process.transcript(.errors).filter { $0.hasPrefix("broadcast: ") }
    #expect(lines.count == 1)
    #expect(lines.first?.contains(word) == true, "\(lines)")
  }

  @Test("it listens on IPv6, with and without brackets", arguments: ["::1", "[::1]"])
  func listensOnIPv6(host: String) async throws {
    let process = try await ServerProcess.command(["serve", "--port", "0", "--host", host])
    let line = try await process.line(containing: "listening on http://[::1]:")
    let url = line.split(separator: " ").last.map(String.init) ?? ""
    #expect(try await Curl.run(["-g", "\(url)/health"]).status == 200)
    process.signal(.terminate)
    #expect(try await process.exit() == .code(0))
  }

  @Test("the counters are in the log when something has happened, and at the end", arguments: ["10ms", "24h"])
  func counters(interval: String) async throws {
    let process = try await ServerProcess.command(["serve", "--port", "0", "--log-counters", interval])
    let line = try await process.line(containing: "listening on http://")
    let url = line.split(separator: " ").last.map(String.init) ?? ""
    #expect(try await Curl.run(["-H", "content-type: text/plain", "-d", "x", "\(url)/push?channel=a"]).status == 200)
    if interval == "24h" { process.signal(.terminate) }
    try await process.line(.errors, containing: "info counters published=1 ")
    if interval != "24h" { process.signal(.terminate) }
    #expect(try await process.exit() == .code(0))
  }

  @Test(
    "a second SIGTERM ends it at once, whatever it still waits for",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
  func secondSignal() async throws {
    let process = try await ServerProcess.command(["serve", "--port", "0", "--stop-timeout", "60s"])
    let line = try await process.line(containing: "listening on http://")
    let port = line.split(separator: ":").last.map(String.init) ?? ""
    // It never answers the close frame.
    let client = try await PythonProgram.raw.start([
      port,
      #"GET /events HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"#
        + #"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"#,
    ])
    try await client.line(.errors, containing: "sent")
    // Its connection has been accepted when a later one is served.
    #expect(try await Curl.run(["http://127.0.0.1:\(port)/health"]).status == 200)
    process.signal(.terminate)
    try await process.line(.errors, containing: "stopping")
    process.signal(.terminate)
    #expect(try await process.exit(within: .seconds(20)) == .signal(15))
    try await client.exit()
  }
}
