//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import TestSupport
import Testing

/// The faults of the other tests, each with `redis-cli` as the client: that they happen, to whom they should, and end.
@Suite(
  "The faulty proxy", .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"),
  .timeLimit(.minutes(1)))
struct FaultyProxyTests {
  @Test("in silence nothing passes, also for who comes then, and its end cuts who lost something")
  func silence() async throws {
    try await run { redis, proxy in
      let old = try await redis.startCLI(["-p", "\(proxy.port)"])
      try await ask(old)
      let quiet = try await redis.startCLI(["-p", "\(proxy.port)"])
      try await ask(quiet)
      await proxy.set(.silent)
      try old.send("PING")
      let new = try await redis.startCLI(["-p", "\(proxy.port)", "PING"])
      while await proxy.accepted < 3 { try await Task.sleep(for: .milliseconds(2)) }
      for client in [old, new] {
        await #expect(throws: ProgramError.self) { try await client.line(within: .milliseconds(300)) }
      }
      await proxy.set(.forward)
      try await new.line(.errors, containing: "Error: ")
      #expect(try await new.exit() != .code(0))
      try await old.line(.errors, containing: "Error: ")
      try await ask(quiet)
      #expect(await proxy.accepted == 3)
    }
  }

  @Test("latency holds each way, and keeps the order")
  func latency() async throws {
    try await run { redis, proxy in
      let client = try await redis.startCLI(["-p", "\(proxy.port)"])
      try await ask(client)
      await proxy.setLatency(.milliseconds(100))
      let start = ContinuousClock.now
      try await ask(client)
      #expect(ContinuousClock.now - start >= .milliseconds(200))
      try await redis.cli(["-x", "SET", "long"], input: [UInt8](repeating: 65, count: 3_000_000))
      let answer = try await redis.cli(["-p", "\(proxy.port)", "GET", "long"])
      #expect(answer.utf8.count == 3_000_000)
    }
  }

  @Test("one connection is cut by what its client said, and the other lives on")
  func cutOne() async throws {
    try await run { redis, proxy in
      let listening = try await redis.startCLI(["-p", "\(proxy.port)", "SUBSCRIBE", "news"])
      try await listening.line(containing: "subscribe")
      let asking = try await redis.startCLI(["-p", "\(proxy.port)"])
      try await ask(asking)
      #expect(await proxy.cut(saying: "SUBSCRIBE") == 1)
      try await listening.exit()
      try await ask(asking)
      #expect(await proxy.accepted == 2)
    }
  }

  @Test("a connection is cut in the middle of an answer")
  func cutInTheMiddle() async throws {
    try await run { redis, proxy in
      try await redis.cli(["SET", "key", "0123456789"])
      let client = try await redis.startCLI(["-p", "\(proxy.port)"])
      try await ask(client)
      // The answer is "$10", a new line, ten digits and another one.
      await proxy.cut(after: 10)
      try client.send("GET key")
      try await client.line(.errors, containing: "Error: ")
      try await ask(client)
      #expect(await proxy.accepted == 2)
    }
  }

  @Test("who connects is refused, or hangs, until the proxy listens again")
  func listening() async throws {
    try await run { redis, proxy in
      try await withEventLoops(count: 1) { loops in
        await proxy.refuse()
        #expect(await connectingFails(to: proxy, on: loops[0]) == .refused)
        try await proxy.hang()
        #expect(await connectingFails(to: proxy, on: loops[0]) == .timedOut)
        try await proxy.listenAgain()
        #expect(await connectingFails(to: proxy, on: loops[0]) == nil)
      }
      let answer = try await redis.cli(["-p", "\(proxy.port)", "PING"])
      #expect(answer == "PONG")
    }
  }

  #if os(Linux)
    @Test("nobody else gets its port, whether it listens or not")
    func port() async throws {
      try await run { redis, proxy in
        #expect(throws: ProgramError.self) { try ReservedPort(proxy.port) }
        await proxy.refuse()
        #expect(throws: ProgramError.self) { try ReservedPort(proxy.port) }
        try await proxy.listenAgain()
        #expect(try await redis.cli(["-p", "\(proxy.port)", "PING"]) == "PONG")
      }
    }
  #endif

  private func connectingFails(to proxy: FaultyProxy, on loop: EventLoop) async -> NetworkError.Code? {
    do {
      _ = try await loop.connect(to: "127.0.0.1", port: UInt16(proxy.port), within: .milliseconds(300))
      return nil
    } catch {
      return error.code
    }
  }

  private func ask(_ client: ChildProcess) async throws {
    try client.send("PING")
    try await client.line(containing: "PONG")
  }

  private func run(_ body: (RedisServer, FaultyProxy) async throws -> Void) async throws {
    try await RedisServer.with { redis in
      try await FaultyProxy.with(to: redis.port) { proxy in try await body(redis, proxy) }
    }
  }
}
