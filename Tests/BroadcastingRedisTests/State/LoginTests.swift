//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingRedis

@Suite("Logging in")
struct LoginTests {
  private func login(_ url: String) throws -> Login { try Login(RedisURL(BackendURL(url)), clientName: "me") }

  /// Answers all commands with "OK", but for one.
  private func answer(_ url: String, _ command: String, _ kind: ReplyReader.Kind, _ pieces: [String]) throws {
    var login = try login(url)
    for words in login.commands {
      try login.received(words[0] == command ? kind : .text, words[0] == command ? pieces : ["OK"])
    }
    #expect(login.isDone)
  }

  private func refusal(_ url: String, _ command: String, _ text: String) -> BroadcastError? {
    #expect(throws: BroadcastError.self) { try answer(url, command, .error, [text]) }
  }

  @Test("says what the URL says, and nothing else")
  func commands() throws {
    #expect(try login("redis://a").commands == [["HELLO", "2"], ["CLIENT", "SETNAME", "me"]])
    #expect(try login("redis://:p@a").commands.first == ["AUTH", "p"])
    #expect(try login("redis://u:p@a/7").commands.first == ["AUTH", "u", "p"])
    #expect(try login("redis://u:p@a/7").commands.last == ["SELECT", "7"])
  }

  @Test("an old server, and a user with few rights, may not know what is only asked for good measure")
  func harmless() throws {
    for command in ["HELLO", "CLIENT"] {
      try answer("redis://a/1", command, .error, ["ERR unknown command 'X', with args beginning with: 'y'"])
      try answer("redis://a", command, .error, ["NOPERM this user has no permissions to run the 'x' command"])
    }
  }

  private func historyLogin(_ answers: [(ReplyReader.Kind, String)]) throws -> Login {
    var login = try Login(RedisURL(BackendURL("redis://a")), clientName: "me", for: .histories)
    #expect(login.commands.suffix(2) == [["INFO", "server"], ["INFO", "replication"]])
    for _ in login.commands.dropLast(2) { try login.received(.text, ["OK"]) }
    for (kind, text) in answers { try login.received(kind, [text]) }
    return login
  }

  @Test("for histories it asks which run of the server this is, by one of two names")
  func run() throws {
    let run = String(repeating: "a", count: 40)
    let zeros = String(repeating: "0", count: 40)
    for (server, replication, name) in [
      ("# Server\r\nredis_version:7\r\nrun_id:\(run)\r\n", "master_replid:b\r\n", run),
      ("run_id:\(zeros)\r\n", "role:master\r\nmaster_replid:b\r\nmaster_replid2:c\r\n", "b"),
      ("", "master_replid:b\r\n", "b"),
    ] {
      #expect(try historyLogin([(.text, server), (.text, replication)]).run == name)
    }
    let unnamed = failure { _ = try historyLogin([(.text, "run_id:\(zeros)"), (.text, "role:master")]) }
    #expect(unnamed?.isRetriable == false)
    #expect(unnamed?.message.contains("run_id") == true)
    let refused = failure { _ = try historyLogin([(.error, "NOPERM no right to the 'info' command")]) }
    #expect(refused?.isRetriable == false)
    #expect(refused?.message.contains("+info") == true)
  }

  private func failure(_ body: () throws -> Void) -> BroadcastError? {
    #expect(throws: BroadcastError.self) { try body() }
  }

  @Test("a cluster carries messages, but no scripts")
  func cluster() throws {
    let facts = ["server", "redis", "mode", "cluster", "role", "master"]
    let server = try RedisURL(BackendURL("redis://a"))
    #expect(try Login.check(facts, of: server, for: .messages))
    for purpose in [Login.Purpose.scripts, .histories] {
      let error = failure { try Login.check(facts, of: server, for: purpose) }
      #expect(error?.isRetriable == false)
    }
  }

  @Test("a wrong login will not change by itself, and the error does not repeat it")
  func wrongLogin() throws {
    for text in [
      "WRONGPASS invalid username-password pair or user is disabled.", "ERR invalid password",
      "ERR unknown command 'AUTH', with args beginning with: 'secret'",
      "ERR AUTH <password> called without any password configured for the default user.",
      "ERR wrong number of arguments for 'auth' command",
    ] {
      let error = refusal("redis://u:secret@a", "AUTH", text)
      #expect(error?.code == .refused)
      #expect(error?.isRetriable == false)
      #expect(error?.message.contains("a:6379") == true)
      #expect(error?.message.contains("secret") == false)
    }
    #expect(refusal("redis://:p@a", "AUTH", "LOADING Redis is loading")?.isRetriable == true)
  }

  @Test("a password that is missing is asked for, by whatever command the server notices")
  func missingPassword() throws {
    for command in ["HELLO", "CLIENT", "SELECT"] {
      let error = refusal("redis://a/1", command, "NOAUTH Authentication required.")
      #expect(error?.code == .refused)
      #expect(error?.message.contains("redis://:password@host") == true)
    }
  }

  @Test("a database that does not exist is an error")
  func database() {
    let error = refusal("redis://a/99", "SELECT", "ERR DB index is out of range")
    #expect(error?.code == .refused)
    #expect(error?.message.contains("database 99") == true)
  }

  @Test("what concerns the connection ends it, and may pass")
  func connection() {
    let full = refusal("redis://a", "HELLO", "ERR max number of clients reached")
    #expect(full?.isRetriable == true)
    #expect(full?.message.contains("maxclients") == true)
    let denied = refusal("redis://a", "HELLO", "DENIED Redis is running in protected mode because...")
    #expect(denied?.isRetriable == false)
    #expect(denied?.message.contains("requirepass") == true)
  }

  @Test("a replica may be replaced, a Sentinel carries no messages")
  func roles() throws {
    try answer("redis://a", "HELLO", .list, ["server", "redis", "mode", "cluster", "role", "master", "modules", ""])
    let replica = #expect(throws: BroadcastError.self) {
      try answer("redis://a", "HELLO", .list, ["mode", "standalone", "role", "replica"])
    }
    #expect(replica?.isRetriable == true)
    #expect(replica?.message.contains("primary") == true)
    let sentinel = #expect(throws: BroadcastError.self) {
      try answer("redis://a", "HELLO", .list, ["mode", "sentinel", "x"])
    }
    #expect(sentinel?.isRetriable == false)
  }
}
