//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import BroadcastingClient

@Suite("Publishing over a line that breaks", .timeLimit(.minutes(1)))
struct BrokenLineTests {
  @Test("a connection that is cut behind a request leaves it unconfirmed, and nothing is sent twice")
  func cutBeforeAnswer() async throws {
    try await ScriptedServer.run { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        try await withClient(proxy.url) { client in
          await proxy.set(.cutBeforeAnswer)
          let error = await failure { try await client.publish("x", to: "a") }
          #expect(error?.code == .unavailable)
          #expect(error?.outcome == .unconfirmed)
          #expect(error?.isRetriable == true)
          await proxy.set(.forward)
          try await client.publish("y", to: "a")
          #expect(server.pushes.map { String(decoding: $0.body, as: UTF8.self) } == ["x", "y"])
        }
      }
    }
  }

  @Test("an answer that is cut in its middle is a lost connection")
  func cutInAnswer() async throws {
    try await ScriptedServer.run { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        try await withClient(proxy.url) { client in
          await proxy.set(.cutInAnswer)
          let error = await failure { try await client.publish("x", to: "a") }
          #expect(error?.code == .unavailable)
          #expect(error?.outcome == .unconfirmed)
          #expect(error?.isRetriable == true)
          await proxy.set(.forward)
          try await client.publish("y", to: "a")
        }
      }
    }
  }

  @Test("a server that takes connections and gives them up at once is away, and one look at a time is made for it")
  func takesAndCloses() async throws {
    try await ScriptedServer.run(answer: { request in
      guard request.method == .get else { return nil }
      // So that each message has a connection of its own.
      return .json(
        ScriptedServer.upgradeRequired.body, status: .upgradeRequired, headers: ["Connection": "close"])
    }) { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        let events = Events()
        try await withClient(proxy.url, .quick(events)) { client in
          await proxy.set(.cutBeforeAnswer)
          let error = await failure { try await client.publish("x", to: "a") }
          #expect(error?.outcome == .unconfirmed && error?.isRetriable == true)
          try await settle { events.lostSessions == 1 }
          let next = await failure { try await client.publish("y", to: "a") }
          #expect(next?.outcome == .notSent && next?.isRetriable == true)
          await proxy.set(.forward)
          try await settle { (try? await client.publish("z", to: "a")) != nil }
          #expect(events.lostSessions == 1)
        }
      }
    }
  }

  @Test("no answer in time leaves it unconfirmed, and the next one goes another way")
  func silence() async throws {
    try await ScriptedServer.run { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        var configuration = RemoteBroadcast.Configuration.quick()
        configuration.requestTimeout = .milliseconds(100)
        // A busy machine may need longer, to begin with and in the end.
        configuration.hub.connectPatience = .seconds(60)
        try await withClient(proxy.url, configuration) { client in
          try await settle { (try? await client.publish("x", to: "a")) != nil }
          await proxy.set(.silent)
          let error = await failure { try await client.publish("y", to: "a") }
          #expect(error?.code == .timedOut)
          #expect(error?.outcome == .unconfirmed)
          await proxy.set(.forward)
          try await settle { (try? await client.publish("z", to: "a")) != nil }
        }
      }
    }
  }

  @Test("while the server is away it is an error at once, not sent and retriable; then it works again")
  func serverAway() async throws {
    try await ScriptedServer.run { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        let events = Events()
        try await withClient(proxy.url, .quick(events)) { client in
          try await client.publish("x", to: "a")
          await proxy.refuse()
          await proxy.cut()
          // That the kept connection was cut may still be on its way here when this is written to it.
          _ = await failure { try await client.publish("y", to: "a") }
          for _ in 1...20 {
            let error = await failure { try await client.publish("y", to: "a") }
            #expect(error?.code == .unavailable)
            #expect(error?.isRetriable == true)
            #expect(error?.outcome == .notSent)
          }
          // The client refuses to publish a moment before it tells of the loss.
          try await settle { events.lostSessions == 1 }
          try await proxy.listenAgain()
          try await settle { (try? await client.publish("z", to: "a")) != nil }
          #expect(events.lostSessions == 1)
        }
        #expect(server.pushes.count == 2)
      }
    }
  }
}
