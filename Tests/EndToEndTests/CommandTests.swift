//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("The command as a process", .timeLimit(.minutes(3)))
struct CommandTests {
  @Test("port 0 is a free port, told on standard output with a line of curl to try")
  func saysWhereItListens() async throws {
    let process = try await ServerProcess.command(["serve", "--port", "0"])
    let line = try await process.line(containing: "listening on http://127.0.0.1:")
    #expect(!line.hasSuffix(":0"))
    #expect(try await process.line(containing: "curl").contains("/push"))
    process.signal(.terminate)
    #expect(try await process.exit() == .code(0))
  }

  @Test("the curl line that it prints works as it stands")
  func curlLineWorks() async throws {
    let process = try await ServerProcess.command(["serve", "--port", "0"])
    let line = try await process.line(containing: "curl ")
    guard let start = line.firstRange(of: "curl ")?.lowerBound else { return }
    let shell = try await ChildProcess("/bin/sh", ["-c", "\(line[start...]) --fail --silent --show-error"])
    #expect(try await shell.exit() == .code(0))
    process.signal(.terminate)
    try await process.exit()
  }

  @Test("the environment chooses host and port, and the command line wins")
  func environmentCounts() async throws {
    let other = try await ServerProcess()
    let process = try await ServerProcess.command(
      ["serve", "--port", "0"], environment: ["BROADCAST_PORT": "\(other.port)", "BROADCAST_HOST": "127.0.0.1"])
    try await process.line(containing: "listening on http://127.0.0.1:")
    process.signal(.terminate)
    #expect(try await process.exit() == .code(0))
    try await other.stop()
  }

  @Test("a second server on the same port ends at once and names the port")
  func portInUse() async throws {
    let first = try await ServerProcess()
    let second = try await ServerProcess.command(["serve", "--port", "\(first.port)"])
    #expect(try await second.exit() == .code(1))
    #expect(second.transcript().isEmpty)
    #expect(second.transcript(.errors).contains { $0.contains("\(first.port)") && $0.contains("in use") })
    // The first one has kept its port and serves on.
    #expect(try await Curl.run(["\(first.url)/health"]).status == 200)
    try await first.stop()
  }

  @Test("a host that others can reach is refused without --insecure")
  func openHostRefused() async throws {
    let process = try await ServerProcess.command(["serve", "--host", "0.0.0.0", "--port", "0"])
    #expect(try await process.exit() == .code(64))
    #expect(process.transcript(.errors).contains { $0.contains("--insecure") })
  }

  @Test("an interrupt from the keyboard stops it as SIGTERM does")
  func interrupt() async throws {
    let process = try await ServerProcess.command(["serve", "--port", "0"])
    try await process.line(containing: "listening on ")
    process.signal(.interrupt)
    #expect(try await process.exit() == .code(0))
  }
}
