//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@testable import broadcast

@Suite("Targets")
struct TargetTests {
  @Test("a host without a scheme is taken for http, as curl does")
  func withoutScheme() throws {
    #expect(try Target("localhost:8080").url == "http://localhost:8080")
    #expect(try Target("https://a.example/live").url == "https://a.example/live")
  }

  @Test("env:NAME is the URL in that variable, so that a password need not be in the command line")
  func environment() throws {
    let find = { (name: String) in name == "URL" ? "redis://u:secret@host" : name == "EMPTY" ? "" : nil }
    #expect(try Target("env:URL", environment: find).url == "redis://u:secret@host")
    for name in ["NONE", "EMPTY", ""] {
      let failure = try #require(throws: Failure.self) { try Target("env:\(name)", environment: find) }
      #expect(failure.exitCode == .misuse)
      #expect(failure.message.contains("no variable \(name)"))
    }
  }

  @Test(
    "brokers are targets beside servers",
    arguments: [
      ("localhost", true), ("http://a", true), ("HTTPS://a", true), ("ws://a", true), ("redis://a", false),
      ("rediss://a", false), ("unix:///run/redis.sock", false), ("postgres://a/b", false),
    ])
  func brokers(text: String, isServer: Bool) async throws {
    let target = try Target(text)
    #expect(target.isServer == isServer)
    try await withEventLoops(count: 1) { loops in
      _ = try target.open(.init(), limits: .init(), on: loops[0]) { _ in }
      var options = ConnectionOptions()
      options.headers = [HeaderField(name: "X", value: "y")]
      let failure = failure { _ = try target.open(options, limits: .init(), on: loops[0]) { _ in } }
      #expect((failure == nil) == isServer)
    }
  }

  @Test("a file of authorities is refused where another parameter of the URL is meant for it")
  func authorities() async throws {
    try await withEventLoops(count: 1) { loops in
      var options = ConnectionOptions()
      options.authorityFile = "/nowhere"
      let target = try Target("postgresql://a/b")
      let failure = failure { _ = try target.open(options, limits: .init(), on: loops[0]) { _ in } }
      #expect(failure?.exitCode == .misuse)
      #expect(failure?.message.contains("sslrootcert") == true)
    }
  }

  @Test("what is no backend is refused with those that there are, and no secret is repeated")
  func unknown() async throws {
    try await withEventLoops(count: 1) { loops in
      let unknown = failure {
        _ = try Target("amqp://u:secret@a").open(.init(), limits: .init(), on: loops[0]) { _ in }
      }
      #expect(unknown?.exitCode == .unknownScheme)
      #expect(unknown?.message.contains("redis://") == true)
      #expect(unknown?.message.contains("secret") == false)
    }
  }

  @Test("bench takes servers alone")
  func bench() throws {
    var options = BenchOptions()
    options.target = "redis://localhost"
    let failure = try #require(throws: Failure.self) { try LoadTarget(options) }
    #expect(failure.exitCode == .misuse)
    #expect(failure.message.contains("http://"))
  }

  private func failure(of call: () throws -> Void) -> Failure? {
    do {
      try call()
      return nil
    } catch {
      return Failure(error)
    }
  }

  @Test("memory:// is refused with the reason", arguments: ["memory://", "MEMORY://x"])
  func memory(text: String) throws {
    let failure = try #require(throws: Failure.self) { try Target(text) }
    #expect(failure.exitCode == .unknownScheme)
    #expect(failure.message.contains("within one process"))
  }
}
