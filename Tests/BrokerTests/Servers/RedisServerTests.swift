//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "A Redis for tests", .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"),
  .timeLimit(.minutes(1)))
struct RedisServerTests {
  @Test("it answers, and what a program reads is taken byte for byte")
  func answers() async throws {
    try await RedisServer.with { redis in
      #expect(try await redis.cli(["PING"]) == "PONG")
      try await redis.cli(["-x", "SET", "key"], input: [0, 255, 10])
      #expect(try await redis.cli(["STRLEN", "key"]) == "3")
      #expect(try await redis.cli(["GETRANGE", "key", "2", "2"]) == "\n")
    }
  }

  @Test("it comes back on its port after a crash, empty unless it keeps its data")
  func restart() async throws {
    for keepsData in [false, true] {
      var options = RedisServer.Options()
      options.keepsData = keepsData
      try await RedisServer.with(options) { redis in
        try await redis.cli(["SET", "key", "value"])
        try await redis.kill()
        await #expect(throws: ProgramError.self) { try await redis.cli(["PING"]) }
        try await redis.start()
        #expect(try await redis.cli(["GET", "key"]) == (keepsData ? "value" : ""))
      }
    }
  }

  @Test("it hangs when it is frozen, and answers what came meanwhile when it is thawed")
  func freezing() async throws {
    try await RedisServer.with { redis in
      redis.freeze()
      let cli = try await redis.startCLI(["PING"])
      await #expect(throws: ProgramError.self) { try await cli.exit(within: .milliseconds(300)) }
      redis.thaw()
      try await cli.line(containing: "PONG")
    }
  }

  @Test("it asks for a password, knows users, listens on a Unix socket and speaks TLS")
  func options() async throws {
    var options = RedisServer.Options()
    options.password = "secret"
    options.users = ["reader on >word ~* &* +@all"]
    options.hasUnixSocket = true
    let certificates = try TestCertificates()
    options.certificates = certificates
    options.settings = ["databases": "3"]
    try await RedisServer.with(options) { redis in
      #expect(redis.url == "redis://:secret@\(redis.address)")
      let pong = try await redis.cli(["PING"])
      #expect(pong == "PONG")
      #expect(try await redis.cli(["CONFIG", "GET", "databases"]) == "databases\n3")
      let reader = ["-s", redis.socketPath, "--user", "reader", "--pass", "word", "--no-auth-warning", "PING"]
      #expect(try await redis.cli(reader) == "PONG")
      let secure = ["-p", "\(redis.securePort)", "--tls", "--cacert", certificates.authority, "PING"]
      #expect(try await redis.cli(secure) == "PONG")
    }
  }
}
