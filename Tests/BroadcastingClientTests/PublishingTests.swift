//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingWeb
import Synchronization
import TestSupport
import Testing

@testable import BroadcastingClient

@Suite("Publishing as a client", .timeLimit(.minutes(1)))
struct PublishingTests {
  @Test("a kept connection that the server closed between two messages is no error")
  func closedBetween() async throws {
    try await ScriptedServer.run { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        try await withClient(proxy.url) { client in
          var (rounds, failures) = (0, 0)
          while rounds < 5 {
            try await settle { (try? await client.publish("x", to: "a")) != nil }
            let count = await proxy.accepted
            await proxy.cut()
            do {
              try await settle {
                try await client.publish("y", to: "a")
                return await proxy.accepted > count
              }
              rounds += 1
            } catch let error as BroadcastError where error.outcome == .unconfirmed {
              // The end was still on its way here when this was written, and nobody could know of it.
              failures += 1
              try #require(failures < 5)
            }
          }
        }
      }
    }
  }

  @Test("the connection is kept, and closed where the server says so")
  func keepsConnection() async throws {
    try await ScriptedServer.run { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        try await withClient(proxy.url) { client in
          for _ in 1...5 { try await client.publish("x", to: "a") }
          try await client.publish((1...5).map { Message("\($0)", to: "a") })
          // The one of the look at the start serves the messages too.
          #expect(await proxy.accepted == 1)
          server.answerWith { request in
            request.method == .post
              ? .json(Array(#"{"channel": "a", "bytes": 1}"#.utf8), headers: ["Connection": "close"]) : nil
          }
          for _ in 1...3 { try await client.publish("x", to: "a") }
          #expect(await proxy.accepted == 3)
        }
      }
    }
  }

  @Test("a server that wants to be left alone is sent nothing")
  func leftAlone() async throws {
    try await ScriptedServer.run { server in
      let events = Events()
      var configuration = RemoteBroadcast.Configuration.quick(events)
      configuration.hub.longestReconnectDelay = .milliseconds(10)
      try await withClient(server.url, configuration) { client in
        server.answerWith { _ in
          .json(
            Array(#"{"error": {"code": "unavailable", "message": "Later."}}"#.utf8), status: .serviceUnavailable,
            headers: ["Retry-After": "100"])
        }
        let error = await failure { try await client.publish("x", to: "a") }
        #expect(error?.code == .unavailable)
        #expect(error?.isRetriable == true)
        #expect(error?.outcome == .notSent)
        #expect((error?.underlying as? ServerRefusal)?.retryAfter == .seconds(100))
        let count = server.requests.count
        for _ in 1...5 {
          let error = await failure { try await client.publish("x", to: "a") }
          #expect(error?.outcome == .notSent)
          #expect(error?.isRetriable == true)
          #expect(await failure { _ = try await client.subscribe(to: "a") }?.isRetriable == true)
        }
        // It goes on trying to reconnect, and is kept from it each time.
        let tried = events.count(.retrying)
        try await settle { events.count(.retrying) >= tried + 3 }
        #expect(server.requests.count == count)
      }
    }
  }

  @Test("with a socket open it is left alone too, and the socket stays")
  func leftAloneWithSocket() async throws {
    try await ScriptedServer.run { server in
      let events = Events()
      try await withClient(server.url, .quick(events)) { client in
        let subscription = try await client.subscribe(to: "a")
        server.answerWith { _ in .text("", status: .serviceUnavailable, headers: ["Retry-After": "100"]) }
        // It is no server of ours that says so, and may have lost one with the message under way.
        #expect(await failure { try await client.publish("x", to: "a") }?.outcome == .unconfirmed)
        let count = server.requests.count
        let error = await failure { try await client.publish("x", to: "a") }
        #expect(error?.message.contains("is sent nothing for another 1") == true)
        #expect(error?.outcome == .notSent)
        #expect(server.requests.count == count)
        #expect(events.lostSessions == 0)
        withExtendedLifetime(subscription) {}
      }
    }
  }

  @Test("a login page in between is an error, and not a success")
  func captivePortal() async throws {
    try await ScriptedServer.run { server in
      try await withClient(server.url) { client in
        server.answerWith { _ in .html("<html>Log in</html>") }
        let error = await failure { try await client.publish("x", to: "a") }
        #expect(error?.code == .refused)
        #expect(error?.isRetriable == false)
        #expect(error?.outcome == .unconfirmed)
      }
    }
  }

  @Test("a 503 that names no time concerns its own message alone")
  func noTimeNamed() async throws {
    try await ScriptedServer.run { server in
      let events = Events()
      try await withClient(server.url, .quick(events)) { client in
        server.answerWith { request in request.body == [1] ? .text("", status: .serviceUnavailable) : nil }
        let error = await failure { try await client.publish([1], to: "a") }
        #expect(error?.isRetriable == true)
        try await client.publish([2], to: "a")
        #expect(events.lostSessions == 0)
      }
    }
  }

  @Test("an array that fails in the middle says how far it came")
  func partly() async throws {
    try await ScriptedServer.run { server in
      server.answerWith { request in request.body == Array("3".utf8) ? .text("", status: .contentTooLarge) : nil }
      try await withClient(server.url) { client in
        let error = await failure { try await client.publish((1...5).map { Message("\($0)", to: "a") }) }
        #expect(error?.code == .messageTooLarge)
        #expect(error?.outcome == .unconfirmed)
        #expect(error?.message.contains("first 2 of 5") == true)
        #expect(server.pushes.count == 3)
        // The connection is as good as before.
        try await client.publish("4", to: "a")
      }
    }
  }

  @Test("many at once go over as many connections as allowed, and all arrive")
  func manyAtOnce() async throws {
    let server = try await ServerProcess()
    try await FaultyProxy.with(to: server.port) { proxy in
      try await withClient(proxy.url) { client in
        let subscription = try await client.subscribe(
          to: "many", options: .init(buffer: .dropOldest(maximumMessages: 5000, maximumBytes: 1 << 24)))
        try await withThrowingTaskGroup { group in
          for number in 1...2000 { group.addTask { try await client.publish("\(number)", to: "many") } }
          try await group.waitForAll()
        }
        var numbers: Set<String> = []
        for try await delivery in subscription {
          guard case .message(let message) = delivery else { Issue.record("\(delivery)"); break }
          numbers.insert(message.text ?? "")
          if numbers.count == 2000 { break }
        }
        // Beside the subscription's.
        #expect(await proxy.accepted <= 17)
      }
    }
    try await server.stop()
  }

  @Test("who waits for a connection for too long hears that none was free")
  func noneFree() async throws {
    let halfway = Gate()
    let release = Gate()
    try await ScriptedServer.run(answer: { request in
      if request.method == .post { await (request.body == Array("1".utf8) ? halfway : release).wait() }
      return nil
    }) { server in
      var configuration = RemoteBroadcast.Configuration.quick()
      configuration.maximumConnections = 1
      // Longer than a busy machine needs to bring the first call to the server.
      configuration.requestTimeout = .seconds(3)
      try await withClient(server.url, configuration) { client in
        async let first = failure { try await client.publish(["1", "2"].map { Message($0, to: "a") }) }
        try await settle { server.pushes.count == 1 }
        async let second = failure { try await client.publish("y", to: "a") }
        // Each message has a time of its own. That of the one which has the connection has to end after that of the one
        // which waits, who would get the connection for its last moment otherwise.
        try await Task.sleep(for: .milliseconds(1_500))
        halfway.open()
        #expect(await second?.outcome == .notSent)
        #expect(await first?.outcome == .unconfirmed)
        release.open()
      }
    }
  }

  @Test("a cancelled call ends at once, under way and while it waits, and harms no other")
  func cancellation() async throws {
    let release = Gate()
    try await ScriptedServer.run(answer: { request in
      if request.method == .post { await release.wait() }
      return nil
    }) { server in
      var configuration = RemoteBroadcast.Configuration.quick()
      configuration.maximumConnections = 2
      try await withClient(server.url, configuration) { client in
        try await withThrowingTaskGroup(of: BroadcastError?.self) { group in
          for _ in 1...10 { group.addTask { await failure { try await client.publish("x", to: "a") } } }
          try await settle { server.pushes.count == 2 }
          group.cancelAll()
          var outcomes: [BroadcastError.Outcome?] = []
          for try await error in group {
            #expect(error?.code == .cancelled)
            outcomes.append(error?.outcome)
          }
          #expect(outcomes.count { $0 == .unconfirmed } == 2)
          #expect(outcomes.count { $0 == .notSent } == 8)
        }
        release.open()
        try await client.publish("y", to: "a")
      }
    }
  }

  @Test("the end of run() ends calls that are under way, and those that wait")
  func endOfRun() async throws {
    let release = Gate()
    try await ScriptedServer.run(answer: { request in
      if request.method == .post { await release.wait() }
      return nil
    }) { server in
      var configuration = RemoteBroadcast.Configuration.quick()
      configuration.maximumConnections = 2
      let broadcast = try RemoteBroadcast(server.url, configuration: configuration)
      try await withThrowingTaskGroup(of: BroadcastError?.self) { group in
        try await withBroadcast(broadcast) { client in
          for _ in 1...10 { group.addTask { await failure { try await client.publish("x", to: "a") } } }
          group.addTask {
            let subscription = try? await client.subscribe(to: "a")
            if let subscription { for try await _ in subscription {} }
            return nil
          }
          try await settle { server.pushes.count == 2 && client.statistics.subscribers == 1 }
        }
        var outcomes: [BroadcastError.Outcome?] = []
        for try await error in group where error != nil {
          #expect(error?.code == .notRunning || error?.code == .unavailable)
          outcomes.append(error?.outcome)
        }
        #expect(outcomes.count == 10)
      }
      release.open()
    }
  }
}
