//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite(
  "A real Redis server", .enabled(if: Tool.redis.isWanted && Tool.redisCLI.isWanted, "Redis is missing"),
  .timeLimit(.minutes(1)))
struct RealServerTests {
  /// Publishes and hears it.
  private func works(_ url: String, _ configuration: RedisBroadcast.Configuration = .quick()) async throws {
    try await withRedis(url, configuration) { broadcast in
      try await broadcast.withSubscription(to: "a") { subscription in
        try await broadcast.publish("hello", to: "a")
        let reader = TextReader(subscription)
        #expect(try await reader.next() == "hello")
      }
    }
  }

  @Test("is reached by TCP, by a Unix socket and by TLS, with a password, a user and a database")
  func ways() async throws {
    var options = RedisServer.Options()
    let certificates = try TestCertificates()
    options.password = "secret"
    options.users = ["me on >w%40rd resetchannels &* +@all"]
    options.hasUnixSocket = true
    options.certificates = certificates
    try await RedisServer.with(options) { server in
      var configuration = RedisBroadcast.Configuration.quick()
      configuration.tls = TLSConfiguration(trust: .file(certificates.authority))
      try await works(server.url)
      try await works("redis://me:w%2540rd@\(server.address)/15")
      try await works("redis://default:secret@\(server.address)?db=2")
      try await works("unix://:secret@\(server.socketPath)?db=2")
      try await works(server.secureURL, configuration)
      try await withRedis(server.url) { _ in
        let clients = try await server.cli(["CLIENT", "LIST"]).split(separator: "\n")
        #expect(clients.count { $0.contains("name=swift-broadcast") } == 2)
      }
    }
  }

  @Test("a wrong login, database or protocol is an error at once")
  func wrong() async throws {
    var options = RedisServer.Options()
    options.password = "word"
    options.certificates = try TestCertificates()
    try await RedisServer.with(options) { server in
      for url in [
        "redis://\(server.address)", "redis://:secret@\(server.address)", "redis://nobody:secret@\(server.address)",
        server.url + "/99", server.secureURL,
      ] {
        let error = try await refusal(url) { $0.hub.connectPatience = .seconds(60) }
        #expect(error?.code == .refused, "\(url): \(error?.description ?? "")")
        #expect(error?.isRetriable == false)
        #expect(error?.description.contains("secret") == false)
      }
      // A server that expects no TLS waits for more. The connection has to stand before the time is over.
      let secure = try await refusal("rediss://:word@\(server.address)") { $0.connectTimeout = .seconds(2) }
      #expect(secure?.message.contains("begins with redis://") == true, "\(secure?.message ?? "")")
      let plain = try await refusal("redis://:word@127.0.0.1:\(server.securePort)")
      #expect(plain?.message.contains("rediss://") == true, "\(plain?.message ?? "")")
    }
    try await RedisServer.with { server in
      let needless = try await refusal("redis://:secret@\(server.address)") { $0.hub.connectPatience = .seconds(60) }
      #expect(needless?.message.contains("no password") == true)
    }
  }

  @Test("a user needs no more rights than the documentation says, and lacks what it has none for")
  func rights() async throws {
    var options = RedisServer.Options()
    options.users = [
      "app on >word resetchannels &__broadcast.* &chat.* +subscribe +psubscribe +unsubscribe +punsubscribe +publish"
    ]
    try await RedisServer.with(options) { server in
      let url = "redis://app:word@\(server.address)"
      try await withRedis(url) { broadcast in
        try await broadcast.withSubscription(to: "chat.a") { subscription in
          try await broadcast.publish("hello", to: "chat.a")
          let reader = TextReader(subscription)
          #expect(try await reader.next() == "hello")
          let publishing = await failure { try await broadcast.publish("no", to: "other") }
          #expect(publishing?.code == .refused)
          #expect(publishing?.outcome == .notSent)
          let subscribing = await failure { try await broadcast.withSubscription(to: "other") { _ in } }
          #expect(subscribing?.code == .refused)
          try await broadcast.publish("still", to: "chat.a")
          #expect(try await reader.next() == "still")
        }
        try await broadcast.withSubscription(to: ChannelPattern("chat.*")) { subscription in
          try await broadcast.publish("hello", to: "chat.b")
          let reader = TextReader(subscription)
          #expect(try await reader.next() == "hello")
        }
      }
    }
  }

  @Test("a user without the right to the probes' channel is told which one it lacks")
  func noProbes() async throws {
    var options = RedisServer.Options()
    options.users = ["app on >word resetchannels &chat.* +subscribe +publish"]
    try await RedisServer.with(options) { server in
      let error = try await refusal("redis://app:word@\(server.address)") { $0.hub.connectPatience = .seconds(60) }
      #expect(error?.code == .refused)
      #expect(error?.message.contains("&__broadcast.*") == true, "\(error?.message ?? "")")
    }
  }

  @Test("a replica is refused")
  func replica() async throws {
    try await RedisServer.with { primary in
      var options = RedisServer.Options()
      options.settings = ["replicaof": "127.0.0.1 \(primary.port)"]
      try await RedisServer.with(options) { replica in
        let error = try await refusal(replica.url)
        #expect(error?.message.contains("replica") == true, "\(error?.message ?? "")")
        #expect(error?.isRetriable == true)
      }
    }
  }

  @Test("a primary that becomes a replica is left, and taken again when it is a primary again")
  func demotion() async throws {
    try await RedisServer.with { primary in
      try await RedisServer.with { server in
        let events = Events()
        try await withRedis(server.url, .quick(events)) { broadcast in
          try await server.cli(["REPLICAOF", "127.0.0.1", "\(primary.port)"])
          try await settle { events.count(.connectionLost) == 1 }
          let lost = events.all.first { $0.kind == .connectionLost }?.error
          #expect(lost?.message.contains("is a replica") == true, "\(lost?.message ?? "")")
          let error = await failure { try await broadcast.publish("no", to: "a") }
          #expect(error?.isRetriable == true)
          #expect(error?.outcome == .notSent)
          try await server.cli(["REPLICAOF", "NO", "ONE"])
          try await settle { broadcast.statistics.isAvailable }
          try await broadcast.publish("yes", to: "a")
        }
      }
    }
  }

  @Test(
    "a message that is too large for this program is a gap of one, and its neighbours arrive", arguments: [true, false])
  func tooLarge(byPattern: Bool) async throws {
    try await RedisServer.with { server in
      let events = Events()
      var configuration = RedisBroadcast.Configuration.quick(events)
      configuration.maximumMessageBytes = 1
      configuration.maximumReceivedBytes = 2 * 1024 * 1024
      try await withRedis(server.url, configuration) { broadcast in
        let subscription =
          try await byPattern
          ? broadcast.subscribe(to: ChannelPattern("a*"), options: .init())
          : broadcast.subscribe(to: ["a"], options: .init())
        try await server.cli(["PUBLISH", "a", "before"])
        try await server.cli(["-x", "PUBLISH", "a"], input: [UInt8](repeating: 0x31, count: 20_000_000))
        try await server.cli(["PUBLISH", "a", "after"])
        var iterator = subscription.makeAsyncIterator()
        var heard: [String] = []
        while heard.count < 3, let delivery = try await iterator.next() {
          switch delivery {
          case .message(let message): heard.append(message.text ?? "")
          case .gap(let gap): heard.append("gap of \(gap.missed ?? -1)")
          }
        }
        #expect(heard == ["before", "gap of 1", "after"])
        #expect(events.count(.dropped) == 1)
        #expect(events.count(.connectionLost) == 0)
      }
    }
  }

  @Test("a server that is full is tried again")
  func full() async throws {
    var options = RedisServer.Options()
    options.settings = ["maxclients": "1"]
    try await RedisServer.with(options) { server in
      let error = try await refusal(server.url)
      #expect(error?.message.contains("maxclients") == true, "\(error?.message ?? "")")
      #expect(error?.isRetriable == true)
    }
  }

  @Test("a subscriber whom the server cuts since it takes too little is told of a gap, and why")
  func outputLimit() async throws {
    var options = RedisServer.Options()
    options.settings = ["client-output-buffer-limit": "pubsub 1mb 0 0"]
    try await RedisServer.with(options) { server in
      let events = Events()
      try await withRedis(server.url, .quick(events)) { broadcast in
        try await broadcast.withSubscription(to: "a") { subscription in
          var iterator = subscription.makeAsyncIterator()
          // More in one command than the limit, all before the first byte can go out: the server cuts at once.
          let text = String(repeating: "x", count: 100_000)
          let script = "for i = 1, 200 do redis.call('publish', 'a', ARGV[1]) end"
          try await settle {
            _ = try await server.cli(["-x", "EVAL", script, "0"], input: Array(text.utf8))
            return events.count(.connectionLost) > 0
          }
          var sawGap = false
          while !sawGap, let delivery = try await iterator.next() {
            if case .gap(let gap) = delivery { sawGap = gap.reason == .connectionLost || sawGap }
          }
          #expect(sawGap)
          // The last script may have cut it once more.
          try await settle { (try? await broadcast.publish("after", to: "a")) != nil }
        }
      }
    }
  }

  @Test("many large messages at once all arrive, though the socket does not take them at once")
  func backpressure() async throws {
    try await RedisServer.with { server in
      var configuration = RedisBroadcast.Configuration.quick()
      // 20 MB take as long as they take.
      configuration.publishTimeout = .seconds(50)
      try await withRedis(server.url, configuration) { broadcast in
        var options = SubscriptionOptions()
        options.buffer = .dropOldest(maximumMessages: 10_000, maximumBytes: 1 << 28)
        try await broadcast.withSubscription(to: "a", options: options) { subscription in
          // Less than the server lets wait for a subscriber (32 MiB).
          let payloads = (0..<40).map { number in [UInt8](repeating: UInt8(number), count: 500_000) }
          async let published = broadcast.publish(payloads.map { Message($0, to: "a") })
          var iterator = subscription.makeAsyncIterator()
          for payload in payloads {
            guard case .message(let message) = try await iterator.next() else {
              Issue.record("Something is missing.")
              break
            }
            #expect(message.payload == payload)
          }
          #expect(try await published.count == 40)
        }
      }
    }
  }
}
