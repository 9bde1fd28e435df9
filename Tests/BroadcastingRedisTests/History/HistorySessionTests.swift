//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite("A session with histories", .timeLimit(.minutes(1)))
struct HistorySessionTests {
  private func withKeeper(
    _ script: @escaping ScriptedRedis.Script = { _ in nil },
    _ configuration: RedisBroadcast.Configuration = .keeping("*"),
    _ body: (ScriptedRedis, RedisBroadcast) async throws -> Void
  ) async throws {
    try await ScriptedRedis.run(ScriptedRedis.keeping(script)) { server in
      try await withRedis(server.url, configuration) { broadcast in try await body(server, broadcast) }
    }
  }

  @Test("a third line asks, all three ask which run of the server it is, and the rights are tried before all else")
  func lines() async throws {
    try await withKeeper { server, _ in
      #expect(server.count("INFO", "server") == 3)
      #expect(server.count("INFO", "replication") == 3)
      let trial = try #require(server.commands.firstIndex { $0.starts(with: ["EVALSHA", "record"]) })
      let probe = try #require(server.commands.firstIndex { $0[0] == "PUBLISH" })
      #expect(trial < probe)
      #expect(server.commands[trial][5] == "__broadcast.trial")
      #expect(server.count("SCRIPT") == 1)
    }
  }

  @Test("a channel is subscribed to behind the one that announces its positions, and given up before it")
  func subscribing() async throws {
    try await withKeeper { server, broadcast in
      let subscription = try await broadcast.subscribe(to: ["chat"])
      subscription.cancel()
      try await settle { server.count("UNSUBSCRIBE") == 2 }
      let names = server.commands.filter { $0[0].hasSuffix("SUBSCRIBE") }.dropFirst().map { $0.joined(separator: " ") }
      #expect(
        names == [
          "SUBSCRIBE \(ScriptedRedis.announcing)", "SUBSCRIBE chat", "UNSUBSCRIBE chat",
          "UNSUBSCRIBE \(ScriptedRedis.announcing)",
        ])
    }
  }

  @Test("where the announcements are refused, the subscription is, and says which right it lacks")
  func refusedAnnouncements() async throws {
    try await withKeeper({ $0 == ["SUBSCRIBE", ScriptedRedis.announcing] ? .raw("-NOPERM no\r\n") : nil }) {
      server, broadcast in
      let error = await failure { try await broadcast.subscribe(to: "chat") }
      #expect(error?.code == .refused)
      #expect(error?.message.contains("&__broadcast.*") == true, "\(error?.message ?? "")")
      try await settle { server.count("UNSUBSCRIBE", "chat") == 1 }
      server.answer(ScriptedRedis.keeping())
      _ = try await broadcast.subscribe(to: "chat")
    }
  }

  @Test("where the channel is refused, nothing is left of it")
  func refusedChannel() async throws {
    try await withKeeper({ $0 == ["SUBSCRIBE", "chat"] ? .raw("-NOPERM no\r\n") : nil }) { server, broadcast in
      let error = await failure { try await broadcast.subscribe(to: "chat") }
      #expect(error?.message.contains("subscription to \"chat\"") == true, "\(error?.message ?? "")")
      try await settle { server.count("UNSUBSCRIBE", ScriptedRedis.announcing) == 1 }
    }
  }

  @Test("a subscription that is confirmed too late is undone with its announcements")
  func late() async throws {
    var configuration = RedisBroadcast.Configuration.keeping("*")
    configuration.subscribeTimeout = .milliseconds(50)
    // A busy machine may need longer, to begin with and in the end.
    configuration.hub.connectPatience = .seconds(60)
    try await withKeeper({ _ in nil }, configuration) { server, broadcast in
      server.answer(ScriptedRedis.keeping { $0[0] == "SUBSCRIBE" ? .silence : nil })
      let error = await failure { try await broadcast.subscribe(to: "chat") }
      #expect(error?.code == .timedOut)
      server.answer(ScriptedRedis.keeping())
      let names = [ScriptedRedis.announcing, "chat"]
      await server.say(names.map { "*3\r\n$9\r\nsubscribe\r\n\(ScriptedRedis.string($0)):2\r\n" }.joined())
      try await settle { server.count("UNSUBSCRIBE", "chat") == 1 }
      #expect(server.count("UNSUBSCRIBE", ScriptedRedis.announcing) >= 1)
      try await settle { (try? await broadcast.subscribe(to: "chat")) != nil }
    }
  }

  @Test("a channel whose head is not told is given up, and can be opened again")
  func opening() async throws {
    try await withKeeper { server, broadcast in
      server.answer(ScriptedRedis.keeping { $0.starts(with: ["EVALSHA", "read"]) ? .raw("-OOM no memory\r\n") : nil })
      let error = await failure { try await broadcast.driver.open("chat") }
      #expect(error?.isRetriable == true)
      try await settle { server.count("UNSUBSCRIBE", ScriptedRedis.announcing) == 1 }
      server.answer(ScriptedRedis.keeping())
      #expect(try await broadcast.driver.open("chat") == MessagePosition(epoch: 7, offset: 1))
    }
  }

  @Test("lines that lead to different servers are no session")
  func differentServers() async throws {
    let count = Lock(0)
    let script = ScriptedRedis.keeping { words in
      guard words == ["INFO", "server"] else { return nil }
      let number = count.withLock { count in
        count += 1
        return count
      }
      return .raw(ScriptedRedis.string("run_id:\(number == 3 ? "other" : "abc")\r\n"))
    }
    try await ScriptedRedis.run(script) { server in
      let error = try await refusal(server.url) { $0.hub.history = [.init(ChannelPattern("*"))] }
      #expect(error?.isRetriable == true)
      #expect(error?.message.contains("different servers") == true, "\(error?.message ?? "")")
      try await withRedis(server.url, .keeping("*")) { try await $0.record("x", to: "chat") }
    }
  }

  @Test("a question without an answer fails when its time is over, and with it a line on which nothing came")
  func timeout() async throws {
    let events = Events()
    var configuration = RedisBroadcast.Configuration.keeping("*", .init(), events)
    configuration.queryTimeout = .milliseconds(100)
    // A busy machine may need longer, to begin with and in the end.
    configuration.hub.connectPatience = .seconds(60)
    try await withKeeper({ _ in nil }, configuration) { server, broadcast in
      server.answer(ScriptedRedis.keeping { $0.starts(with: ["EVALSHA", "read"]) ? .silence : nil })
      let error = await failure { try await broadcast.page("chat", .live) }
      #expect(error?.code == .timedOut && error?.isRetriable == true, "\(error?.description ?? "")")
      try await settle { events.count(.connectionLost) > 0 }
      server.answer(ScriptedRedis.keeping())
      try await settle { (try? await broadcast.page("chat", .live)) != nil }
    }
  }

  @Test("questions that are under way when a line breaks fail, whoever asked, and the next ones are answered")
  func brokenLine() async throws {
    let events = Events()
    try await withKeeper({ _ in nil }, .keeping("*", .init(), events)) { server, broadcast in
      server.answer(ScriptedRedis.keeping { $0.starts(with: ["EVALSHA", "read"]) ? .close : nil })
      let error = await failure { try await broadcast.page("chat", .live) }
      #expect(error?.isRetriable == true)
      server.answer(ScriptedRedis.keeping())
      try await settle { events.count(.connected) == 2 }
      #expect(try await broadcast.page("chat", .live).head == MessagePosition(epoch: 7, offset: 1))
    }
  }

  @Test("who asks when the run ends is told so")
  func end() async throws {
    try await ScriptedRedis.run(ScriptedRedis.keeping()) { server in
      let broadcast = try RedisBroadcast(server.url, configuration: .keeping("*"))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try? await broadcast.run() }
        try await settle { broadcast.statistics.isAvailable }
        server.answer(ScriptedRedis.keeping { $0.starts(with: ["EVALSHA", "read"]) ? .silence : nil })
        async let asked = failure { try await broadcast.page("chat", .live) }
        try await settle { server.count("EVALSHA", "read") == 1 }
        group.cancelAll()
        #expect(await asked != nil)
      }
    }
  }

  @Test(
    "an answer that no script gives ends the session",
    arguments: ["+OK\r\n", ":1\r\n", "$-1\r\n", "*0\r\n", "*3\r\n$3\r\n7-1\r\n$1\r\n1\r\n$1\r\n1\r\n"])
  func nonsense(answer: String) async throws {
    let events = Events()
    try await withKeeper({ _ in nil }, .keeping("*", .init(), events)) { server, broadcast in
      server.answer(ScriptedRedis.keeping { $0.starts(with: ["EVALSHA", "read"]) ? .raw(answer) : nil })
      #expect(await failure { try await broadcast.page("chat", .live) } != nil)
      server.answer(ScriptedRedis.keeping())
      try await settle { events.count(.connected) == 2 }
    }
  }

  @Test("a position that is none ends the session, and so does one where no history is")
  func noPosition() async throws {
    let events = Events()
    try await withKeeper({ _ in nil }, .keeping("chat", .init(), events)) { server, broadcast in
      server.answer(ScriptedRedis.keeping { $0.starts(with: ["EVALSHA", "record"]) ? .raw("+what\r\n") : nil })
      let error = await failure { try await broadcast.publish("x", to: "chat") }
      #expect(error?.outcome == .unconfirmed)
      server.answer(ScriptedRedis.keeping())
      try await settle { events.count(.connected) == 2 }
    }
  }

  @Test("a script that the server loses each time is told, and a message of several is published once at most")
  func missingScript() async throws {
    try await withKeeper { server, broadcast in
      server.answer(ScriptedRedis.keeping { $0.starts(with: ["EVALSHA", "record"]) ? .raw("-NOSCRIPT no\r\n") : nil })
      let before = server.count("EVALSHA", "record")
      let error = await failure { try await broadcast.publish("x", to: "chat") }
      #expect(error?.isRetriable == true && error?.outcome == .notSent)
      #expect(error?.message.contains("SCRIPT FLUSH") == true)
      #expect(server.count("EVALSHA", "record") == before + 2)
      #expect(broadcast.statistics.isAvailable)

      // The second message of the call finds no script: the first is there.
      server.answer(
        ScriptedRedis.keeping { words in
          words.starts(with: ["EVALSHA", "record"]) && words[6] == "b" ? .raw("-NOSCRIPT no\r\n") : nil
        })
      let sent = server.count("EVALSHA", "record")
      let several = await failure { try await broadcast.publish([Message("a", to: "chat"), Message("b", to: "chat")]) }
      #expect(several?.outcome == .unconfirmed)
      #expect(server.count("EVALSHA", "record") == sent + 2)
    }
  }

  @Test("the line for questions is asked with each probe, so that nobody takes it for one that is not needed")
  func keepAlive() async throws {
    try await withKeeper { server, _ in
      // Each line's login, with the first probe the publishing one's role, and this.
      try await settle { server.count("HELLO") == 5 }
    }
  }

  @Test("a cancelled start ends at once", arguments: ["INFO", "SCRIPT", "EVALSHA"])
  func cancelled(command: String) async throws {
    try await ScriptedRedis.run(ScriptedRedis.keeping { $0[0] == command ? .silence : nil }) { server in
      let broadcast = try RedisBroadcast(server.url, configuration: .keeping("*"))
      await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await broadcast.run() }
        // The time limit of the test is shorter than the one of this.
        while server.count(command) == 0 { await Task.yield() }
        group.cancelAll()
      }
    }
  }
}
