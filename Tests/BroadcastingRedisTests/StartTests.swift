//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite("What a Redis backend finds when it starts", .timeLimit(.minutes(1)))
struct StartTests {
  @Test(
    "an answer that will not change ends it at once, however patient it is",
    arguments: [
      ("HELLO", "-NOAUTH Authentication required.\r\n", "wants a password"),
      ("HELLO", "-DENIED Redis is running in protected mode\r\n", "protected mode"),
      ("HELLO", "*4\r\n$4\r\nmode\r\n$8\r\nsentinel\r\n$4\r\nrole\r\n$6\r\nmaster\r\n", "Sentinel"),
      ("HELLO", "HTTP/1.1 400 Bad Request\r\n\r\n", "no Redis server"),
      ("SELECT", "-ERR DB index is out of range\r\n", "database 1"),
      ("SUBSCRIBE", "-NOPERM this user has no permissions\r\n", "ACL SETUSER"),
      ("PUBLISH", "-NOPERM this user has no permissions\r\n", "ACL SETUSER"),
      ("PUBLISH", "-ERR unknown command 'PUBLISH', with args beginning with: 'secret'\r\n", "renamed"),
    ])
  func refused(command: String, answer: String, text: String) async throws {
    try await ScriptedRedis.run({ $0[0] == command ? .raw(answer) : nil }) { server in
      let error = try await refusal(server.url + "/1") { $0.hub.connectPatience = .seconds(60) }
      #expect(error?.code == .refused)
      #expect(error?.isRetriable == false)
      #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
      #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
      #expect(error?.description.contains("secret") == false)
    }
  }

  @Test(
    "what may pass is tried again",
    arguments: [
      ("HELLO", ScriptedRedis.Answer.raw("-ERR max number of clients reached\r\n"), "maxclients"),
      ("HELLO", .raw("-LOADING Redis is loading the dataset in memory\r\n"), "starting"),
      ("HELLO", .raw("*4\r\n$4\r\nrole\r\n$5\r\nslave\r\n$4\r\nmode\r\n$1\r\nx\r\n"), "replica"),
      ("HELLO", .close, "closed the connection"),
      ("SUBSCRIBE", .close, "closed the connection"),
      ("PUBLISH", .raw("-LOADING Redis is loading the dataset in memory\r\n"), "LOADING"),
      ("PUBLISH", .raw("+WHAT\r\n"), "not asked"),
      ("SUBSCRIBE", .raw(":1\r\n"), "not asked"),
    ])
  func passing(command: String, answer: ScriptedRedis.Answer, text: String) async throws {
    try await ScriptedRedis.run({ $0[0] == command ? answer : nil }) { server in
      let error = try await refusal(server.url)
      #expect(error?.isRetriable == true)
      #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
      server.answer { _ in nil }
      try await withRedis(server.url) { try await $0.publish("x", to: "a") }
    }
  }

  @Test("a server that never answers is given up when its time is over", arguments: ["HELLO", "SUBSCRIBE"])
  func silent(command: String) async throws {
    try await ScriptedRedis.run({ $0[0] == command ? .silence : nil }) { server in
      let error = try await refusal(server.url) {
        $0.connectTimeout = .milliseconds(50)
        $0.subscribeTimeout = .milliseconds(50)
      }
      #expect(error?.code == .timedOut)
      #expect(error?.isRetriable == true)
    }
  }

  @Test("nobody who listens, and a name that does not exist, may pass")
  func nobody() async throws {
    try await FaultyProxy.with(to: 1) { proxy in
      await proxy.refuse()
      let error = try await refusal("redis://:secret@127.0.0.1:\(proxy.port)")
      #expect(error?.code == .unavailable)
      #expect(error?.isRetriable == true)
      #expect((error?.underlying as? NetworkError)?.code == .refused)
      #expect(error?.description.contains("secret") == false)
    }
    #expect(try await refusal("redis://no-such-host.invalid")?.isRetriable == true)
    #expect(try await refusal("unix:///no/such/socket")?.isRetriable == true)
  }

  @Test("a cancelled start ends at once", arguments: ["HELLO", "SUBSCRIBE", "PUBLISH"])
  func cancelled(command: String) async throws {
    try await ScriptedRedis.run({ $0[0] == command ? .silence : nil }) { server in
      let broadcast = try RedisBroadcast(server.url)
      await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await broadcast.run() }
        // The time limit of the test is shorter than the one of this.
        while server.count(command) == 0 { await Task.yield() }
        group.cancelAll()
      }
    }
  }
}
