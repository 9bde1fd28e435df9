//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import TestSupport
import Testing

@testable import BroadcastingRedis

@Suite("A session with a Redis server", .timeLimit(.minutes(1)))
struct SessionTests {
  @Test("one line logs in and subscribes, another logs in and publishes, and a probe goes from the one to the other")
  func lines() async throws {
    try await ScriptedRedis.run { server in
      var configuration = RedisBroadcast.Configuration.quick()
      configuration.clientName = "me"
      try await withRedis("redis://user:word@127.0.0.1:\(server.port)/3", configuration) { _ in
        let login = [["AUTH", "user", "word"], ["HELLO", "2"], ["CLIENT", "SETNAME", "me"], ["SELECT", "3"]]
        #expect(Array(server.commands.prefix(8)) == login + login)
        let probe = try #require(server.commands.dropFirst(8).first)
        #expect(probe[0] == "SUBSCRIBE")
        #expect(probe[1].hasPrefix("__broadcast.probe."))
        #expect(server.commands.dropFirst(9).first == ["PUBLISH", probe[1], "1"])
      }
    }
  }

  @Test("messages that come together arrive in their order, whatever their channel")
  func receiving() async throws {
    try await ScriptedRedis.run { server in
      try await withRedis(server.url) { broadcast in
        try await broadcast.withSubscription(to: ["a", "b"]) { subscription in
          let texts = (0..<1000).map { "\($0)" }
          await server.say(
            texts.map { ScriptedRedis.message($0, on: $0.utf8.count == 2 ? "b" : "a") }.joined())
          var iterator = subscription.makeAsyncIterator()
          var onA: [String] = []
          var onB: [String] = []
          while onA.count + onB.count < 1000 {
            guard case .message(let message) = try await iterator.next() else { break }
            if message.channel == "a" { onA.append(message.text ?? "") } else { onB.append(message.text ?? "") }
          }
          #expect(onA == texts.filter { $0.utf8.count != 2 })
          #expect(onB == texts.filter { $0.utf8.count == 2 })
        }
      }
    }
  }

  @Test("a refused subscription fails alone")
  func refusedSubscription() async throws {
    try await ScriptedRedis.run { server in
      try await withRedis(server.url) { broadcast in
        server.answer { $0 == ["SUBSCRIBE", "no"] ? .raw("-NOPERM this user has no permissions\r\n") : nil }
        async let refused = failure { try await broadcast.withSubscription(to: "no") { _ in } }
        try await broadcast.withSubscription(to: "yes") { subscription in
          try await broadcast.publish("x", to: "yes")
          let reader = TextReader(subscription)
          #expect(try await reader.next() == "x")
        }
        let error = await refused
        #expect(error?.code == .refused)
        #expect(error?.message.contains("ACL SETUSER") == true)
        #expect(error?.message.contains("subscription to \"no\"") == true)
      }
    }
  }

  @Test("a refused message fails alone, and its neighbours get their own answers")
  func refusedMessage() async throws {
    try await ScriptedRedis.run({ $0.last == "no" ? .raw("-NOPERM not this channel\r\n") : nil }) { server in
      try await withRedis(server.url) { broadcast in
        await withTaskGroup(of: Void.self) { group in
          for number in 0..<100 {
            group.addTask {
              if number % 10 == 0 {
                let error = await failure { try await broadcast.publish("no", to: "a") }
                #expect(error?.code == .refused)
                #expect(error?.outcome == .notSent)
                #expect(error?.message.contains("message to \"a\"") == true)
              } else {
                await #expect(throws: Never.self) { try await broadcast.publish("yes", to: "a") }
              }
            }
          }
        }
        let several = await failure { try await broadcast.publish([Message("yes", to: "a"), Message("no", to: "b")]) }
        #expect(several?.outcome == .unconfirmed)
        #expect(several?.message.contains("message to \"b\"") == true)
        #expect(broadcast.statistics.isAvailable)
      }
    }
  }

  @Test("a message without an answer fails when its time is over, and may have arrived")
  func publishTimeout() async throws {
    try await ScriptedRedis.run { server in
      var configuration = RedisBroadcast.Configuration.quick()
      configuration.publishTimeout = .milliseconds(50)
      // A busy machine may need longer to begin with.
      configuration.hub.connectPatience = .seconds(60)
      try await withRedis(server.url, configuration) { broadcast in
        server.answer { $0.last == "hush" ? .silence : nil }
        let error = await failure { try await broadcast.publish("hush", to: "a") }
        #expect(error?.code == .timedOut)
        #expect(error?.isRetriable == true)
        #expect(error?.outcome == .unconfirmed)
      }
    }
  }

  @Test("a subscription that is confirmed when nobody waits any more is undone")
  func lateConfirmation() async throws {
    try await ScriptedRedis.run { server in
      var configuration = RedisBroadcast.Configuration.quick()
      configuration.subscribeTimeout = .milliseconds(50)
      // A busy machine may need longer to begin with.
      configuration.hub.connectPatience = .seconds(60)
      try await withRedis(server.url, configuration) { broadcast in
        server.answer { $0 == ["SUBSCRIBE", "a"] ? .silence : nil }
        let error = await failure { try await broadcast.withSubscription(to: "a") { _ in } }
        #expect(error?.code == .timedOut)
        #expect(error?.isRetriable == true)
        server.answer { _ in nil }
        await server.say("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n")
        try await settle { server.count("UNSUBSCRIBE", "a") == 1 }
        #expect(broadcast.statistics.isAvailable)
      }
    }
  }

  @Test("what a server never says ends the session, and the next one begins", arguments: [true, false])
  func nonsense(toListeners: Bool) async throws {
    try await ScriptedRedis.run { server in
      let events = Events()
      try await withRedis(server.url, .quick(events)) { broadcast in
        let nonsense = [
          "+OK\r\n", ":1\r\n", "*1\r\n$1\r\nx\r\n", "*3\r\n$5\r\nhello\r\n$1\r\na\r\n$1\r\nx\r\n", "-ERR what\r\n",
          "?\r\n",
          "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n",
        ]
        for (index, text) in nonsense.enumerated() {
          try await settle { events.count(.connected) == index + 1 }
          await server.say(text, toListeners: toListeners)
        }
        try await settle { events.count(.connected) == nonsense.count + 1 }
        try await broadcast.publish("x", to: "a")
        #expect(events.count(.connectionLost) == nonsense.count)
      }
    }
  }

  @Test(
    "the role is asked for with each probe, but not where the server did not tell it before", arguments: [true, false])
  func role(isTold: Bool) async throws {
    try await ScriptedRedis.run({ $0[0] == "HELLO" && !isTold ? .raw("-ERR unknown command `HELLO`\r\n") : nil }) {
      server in
      let events = Events()
      try await withRedis(server.url, .quick(events)) { broadcast in
        try await broadcast.publish("x", to: "a")
        // Twice at login, and with the first probe.
        #expect(server.count("HELLO") == (isTold ? 3 : 2))
        #expect(events.count(.connectionLost) == 0)
      }
    }
  }

  @Test("an error that nobody asked for is told in the server's words", arguments: [true, false])
  func unasked(toListeners: Bool) async throws {
    try await ScriptedRedis.run { server in
      let events = Events()
      try await withRedis(server.url, .quick(events)) { _ in
        for (index, (text, told)) in [("-OOM no memory\r\n", "OOM no memory."), ("-\r\n", "it does not say why.")]
          .enumerated()
        {
          try await settle { events.count(.connected) == index + 1 }
          await server.say(text, toListeners: toListeners)
          try await settle { events.count(.connectionLost) == index + 1 }
          let message = events.all.last { $0.kind == .connectionLost }?.error?.message ?? ""
          #expect(message.hasSuffix("refuses the connection: \(told)"), "\(message)")
        }
      }
    }
  }

  @Test("subscriptions and messages under way when the line breaks fail with an error that may pass")
  func brokenLine() async throws {
    try await ScriptedRedis.run { server in
      try await withRedis(server.url) { broadcast in
        server.answer { $0.last == "hush" ? .silence : nil }
        async let message = failure { try await broadcast.publish("hush", to: "a") }
        async let subscription = failure { try await broadcast.withSubscription(to: "hush") { _ in } }
        try await settle { server.count("PUBLISH", "a") == 1 && server.count("SUBSCRIBE", "hush") == 1 }
        await server.closeListeners()
        let (lost, unsubscribed) = await (message, subscription)
        #expect(lost?.isRetriable == true)
        #expect(lost?.outcome == .unconfirmed)
        #expect(unsubscribed?.isRetriable == true)
      }
    }
  }

  @Test("all subscriptions are renewed after a lost connection, and each has its gap")
  func renewal() async throws {
    try await ScriptedRedis.run { server in
      let events = Events()
      try await withRedis(server.url, .quick(events)) { broadcast in
        let channels = (0..<300).map { Channel("c\($0)") }
        try await broadcast.withSubscription(to: channels) { subscription in
          await server.closeListeners()
          var gaps: Set<Channel> = []
          for try await delivery in subscription {
            if case .gap(let gap) = delivery, let channel = gap.channel as Channel? { gaps.insert(channel) }
            if gaps.count == channels.count { break }
          }
          #expect(gaps == Set(channels))
          #expect(channels.allSatisfy { server.count("SUBSCRIBE", $0.name) == 2 })
          #expect(events.count(.connectionLost) == 1)
        }
      }
    }
  }

  @Test("a probe that is answered and never delivered finds a deaf line")
  func deaf() async throws {
    try await ScriptedRedis.run { server in
      let events = Events()
      try await withRedis(server.url, .quick(events)) { broadcast in
        server.answer { $0[0] == "PUBLISH" ? .raw(":0\r\n") : nil }
        try await settle { events.count(.connectionLost) == 1 }
        let error = events.all.first { $0.kind == .connectionLost }?.error
        #expect(error?.code == .timedOut)
        #expect(error?.message.contains("probe") == true)
        server.answer { _ in nil }
        try await settle { broadcast.statistics.isAvailable }
      }
    }
  }

  @Test("a connection that delivers messages is kept while its probe is late")
  func lateProbe() async throws {
    try await ScriptedRedis.run { server in
      let events = Events()
      try await withRedis(server.url, .quick(events)) { broadcast in
        try await broadcast.withSubscription(to: "a") { _ in
          let late = server.count("PUBLISH") + 1
          server.answer { $0[0] == "PUBLISH" ? .raw(":0\r\n") : nil }
          try await settle { server.count("PUBLISH") == late }
          // Longer than one that brings no messages has.
          let end = ContinuousClock.now + .seconds(8)
          while ContinuousClock.now < end {
            await server.say(ScriptedRedis.message("x", on: "a"))
            // How slowly it delivers, which is what is tested. Nothing waits for its end.
            try await Task.sleep(for: .milliseconds(200))
          }
          #expect(events.count(.connectionLost) == 0)
        }
      }
    }
  }

  @Test("the end of the run ends everything that waits")
  func end() async throws {
    try await ScriptedRedis.run { server in
      let broadcast = try RedisBroadcast(server.url, configuration: .quick())
      await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await broadcast.run() }
        while !broadcast.statistics.isAvailable { await Task.yield() }
        server.answer { $0.last == "hush" ? .silence : nil }
        async let message = failure { try await broadcast.publish("hush", to: "a") }
        async let subscription = failure { try await broadcast.withSubscription(to: "hush") { _ in } }
        while server.count("PUBLISH", "a") + server.count("SUBSCRIBE", "hush") < 2 { await Task.yield() }
        group.cancelAll()
        #expect(await message?.outcome == .unconfirmed)
        #expect(await subscription != nil)
      }
      let after = await failure { try await broadcast.publish("x", to: "a") }
      #expect(after?.code == .notRunning)
    }
  }
}
