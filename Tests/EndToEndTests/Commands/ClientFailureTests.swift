//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("How publish and subscribe fail", .timeLimit(.minutes(3)))
struct ClientFailureTests {
  /// Runs a command, and gives back how it ended and what it said on standard error.
  private func run(_ arguments: [String]) async throws -> (exit: ChildProcess.Exit, words: String) {
    let process = try await ServerProcess.command(arguments)
    let exit = try await process.exit()
    #expect(process.transcript().isEmpty)
    return (exit, process.transcript(.errors).joined(separator: "\n"))
  }

  private func expect(
    _ code: Int32, _ words: String, target: String, options: [String] = [], channel: String = "events",
    location: SourceLocation = #_sourceLocation
  ) async throws {
    for command in [["publish", target, channel, "hello"], ["subscribe", target, channel]] {
      let (exit, said) = try await run(command + options)
      #expect(exit == .code(code), "\(command): \(said)", sourceLocation: location)
      #expect(said.contains(words), "\(command): \(said)", sourceLocation: location)
      #expect(said.hasPrefix("broadcast: "), sourceLocation: location)
      if command[0] == "publish", code != 2 {
        #expect(said.contains("not sent") || said.contains("nothing was sent"), "\(said)", sourceLocation: location)
      }
    }
  }

  @Test("a server that isn't there ends it at once with 7")
  func deadServer() async throws {
    let server = try await ServerProcess()
    try await server.kill()
    try await expect(7, "\(server.port)", target: server.url)
    try await expect(7, "\(server.port)", target: server.address)
  }

  @Test("an unknown host ends it with 6")
  func unknownHost() async throws {
    try await expect(6, "no.such.host.invalid", target: "http://no.such.host.invalid")
  }

  @Test(
    "a target that is no URL ends it with 3", arguments: ["http://[::1", "http://", "http://localhost:99999", "a b"])
  func malformed(target: String) async throws {
    try await expect(3, "", target: target)
  }

  @Test("a scheme that is unknown, or leads nowhere, ends it with 1")
  func schemes() async throws {
    try await expect(1, "kafkaesque", target: "kafkaesque://x")
    try await expect(1, "within one process", target: "memory://")
  }

  @Test("a place where no server of ours is ends it with 22")
  func wrongPath() async throws {
    let server = try await ServerProcess()
    try await expect(22, "404", target: "\(server.url)/no/such/place")
    try await server.stop()
  }

  @Test("a server that says nothing ends it with 28, when the time is over")
  func silentServer() async throws {
    let server = try SilentServer()
    try await expect(28, "", target: "http://127.0.0.1:\(server.port)", options: ["--timeout", "300ms"])
    withExtendedLifetime(server) {}
  }

  @Test("what is against the rules ends it with 22")
  func rules() async throws {
    let server = try await ServerProcess(["--channels", "open.*"])
    try await expect(22, "255", target: server.url, channel: String(repeating: "x", count: 256))
    try await expect(22, "403", target: server.url, channel: "closed")
    let large = try await run(["publish", server.url, "open.a", "hello", "--max-message", "4"])
    #expect(large.exit == .code(22))
    #expect(large.words.contains("at most 4"))
    try await server.stop()
  }

  @Test("https to a server without TLS ends it with 35")
  func noTLS() async throws {
    let server = try await ServerProcess()
    try await expect(35, "", target: "https://\(server.address)")
    try await server.stop()
  }

  @Test(
    "a certificate of an unknown authority ends it with 60, and --ca-file makes it known",
    .enabled(if: Tool.nginx.isWanted, "nginx is missing"))
  func unknownAuthority() async throws {
    let certificates = try TestCertificates()
    let server = try await ServerProcess()
    let proxy = try await NginxProcess(upstream: server.address, tls: certificates)
    let target = "https://localhost:\(proxy.port)"
    try await expect(60, "certificate", target: target)
    let subscriber = try await ServerProcess.command(
      ["subscribe", target, "events", "-n1", "--ca-file", certificates.authority])
    try await subscriber.line(.errors, containing: "subscribed to events")
    let (exit, said) = try await run(["publish", target, "events", "hello", "--ca-file", certificates.authority])
    #expect(exit == .code(0), "\(said)")
    #expect(try await subscriber.line() == "hello")
    #expect(try await subscriber.exit() == .code(0))
    // What is there, and no certificate.
    let empty = try certificates.write("nothing", to: "empty.pem")
    try await expect(77, "empty.pem", target: target, options: ["--ca-file", empty])
    try await server.stop()
  }

  @Test("a file of authorities that isn't there ends it with 77 and its name")
  func authorityFile() async throws {
    try await expect(77, "/no/such/file", target: "https://localhost:1", options: ["--ca-file", "/no/such/file"])
  }

  @Test("a wrong command line ends it with 2")
  func usage() async throws {
    try await expect(2, "--tiemout", target: "localhost", options: ["--tiemout", "1s"])
  }

  @Test("with --retry a server that isn't there yet is waited for")
  func waitsForServer() async throws {
    let first = try await ServerProcess()
    try await first.kill()
    let subscriber = try await ServerProcess.command(["subscribe", first.url, "events", "-n", "1", "--retry"])
    try await subscriber.line(.errors, containing: "trying again")
    let server = try await ServerProcess(port: first.port)
    try await subscriber.line(.errors, containing: "subscribed to events")
    let publisher = try await ServerProcess.command(["publish", server.url, "events", "hello", "--retry"])
    #expect(try await publisher.exit() == .code(0))
    #expect(try await subscriber.line() == "hello")
    #expect(try await subscriber.exit() == .code(0))
    try await server.stop()
  }
}
