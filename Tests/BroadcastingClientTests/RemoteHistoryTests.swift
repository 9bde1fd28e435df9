//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb
import TestSupport
import Testing

@testable import BroadcastingClient

@Suite("Histories over a server", .timeLimit(.minutes(2)))
struct RemoteHistoryTests {
  private static let keeping = ["--history", "kept.*=100"]

  @Test("messages and receipts have the positions of the server, and a subscription begins in the past")
  func begins() async throws {
    let server = try await ServerProcess(Self.keeping)
    try await withClient(server.url) { client in
      let positions = try await client.publish((0..<10).map { Message("\($0)", to: "kept.a b/ü") }).map(\.position)
      #expect(positions.compactMap { $0?.offset } == Array(1...10))
      let subscription = try await client.subscribe(to: "kept.a b/ü", from: .last(3))
      #expect(subscription.recovery(of: "kept.a b/ü") == Recovery(messages: 3, head: positions[9]))
      var deliveries = subscription.makeAsyncIterator()
      try await client.publish(Message([0, 10], to: "kept.a b/ü"))
      for number in 7..<10 {
        #expect(
          try await deliveries.next() == .message(Message("\(number)", to: "kept.a b/ü", position: positions[number])))
      }
      let live = try #require(try await deliveries.next()?.message)
      #expect(live.payload == [0, 10] && live.kind == .binary && live.position?.offset == 11)

      let after = try await client.subscribe(to: "kept.a b/ü", from: .after(try #require(positions[8])))
      #expect(after.recovery(of: "kept.a b/ü")?.messages == 2 && after.recovered)
    }
    try await server.stop()
  }

  @Test("a history is read page by page")
  func reads() async throws {
    let server = try await ServerProcess(["--history", "kept.*=5000"])
    try await withClient(server.url) { client in
      try await client.publish((0..<600).map { Message("\($0)", to: "kept.a") })
      let all = try await client.history(of: "kept.a", from: .after(.beginning), limit: 1_000)
      #expect(all.messages.map(\.text) == (0..<600).map { "\($0)" } && all.isComplete && !all.hasMore)
      let part = try await client.history(of: "kept.a", from: .last(500), limit: 20)
      #expect(part.messages.map(\.text) == (100..<120).map { "\($0)" } && part.hasMore && part.head == all.head)
      let head = try await client.history(of: "kept.a", from: .live, limit: 1)
      #expect(head.messages.isEmpty && head.head == all.head)
    }
    try await server.stop()
  }

  @Test("a channel without a history, and a server that does not have the endpoint, say so")
  func unsupported() async throws {
    let server = try await ServerProcess(Self.keeping)
    try await withClient(server.url) { client in
      #expect(await failure { _ = try await client.history(of: "other") }?.code == .unsupportedHistory)
      #expect(
        await failure { _ = try await client.subscribe(to: "other", from: .last(1)) }?.code == .unsupportedHistory)
      _ = try await client.subscribe(to: "other")
    }
    try await server.stop()
    var configuration = RemoteBroadcast.Configuration()
    configuration.hub.history = [.init(ChannelPattern("*"))]
    let refusal = #expect(throws: BroadcastError.self) {
      try RemoteBroadcast("http://localhost", configuration: configuration)
    }
    #expect(refusal?.code == .unsupportedHistory)
  }

  @Test("what a short absence misses is filled, without a gap, also while others publish on")
  func shortAbsence() async throws {
    let server = try await ServerProcess(["--history", "kept.*=5000"])
    try await FaultyProxy.with(to: server.port) { proxy in
      let events = Events()
      try await withClient(proxy.url, .quick(events)) { client in
        try await withClient(server.url) { publisher in
          var deliveries = try await client.subscribe(to: "kept.a").makeAsyncIterator()
          var expected = 0
          for round in 0..<3 {
            for number in round * 100..<round * 100 + 50 { try await publisher.publish("\(number)", to: "kept.a") }
            await proxy.refuse()
            await proxy.cut()
            for number in round * 100 + 50..<round * 100 + 100 {
              if number % 100 == 60 { try await proxy.listenAgain() }
              try await publisher.publish("\(number)", to: "kept.a")
            }
            while expected < round * 100 + 100 {
              let delivery = try await deliveries.next()
              guard case .message(let message)? = delivery, message.text == "\(expected)" else {
                Issue.record("\(String(describing: delivery)) in place of \(expected)")
                return
              }
              expected += 1
            }
          }
          #expect(client.statistics.gaps == 0 && client.statistics.filled > 0)
        }
      }
    }
    try await server.stop()
  }

  @Test("a server that comes back with another log is a gap that says so")
  func restarted() async throws {
    let first = try await ServerProcess(Self.keeping)
    try await withClient(first.url) { client in
      var deliveries = try await client.subscribe(to: "kept.a").makeAsyncIterator()
      try await client.publish("before", to: "kept.a")
      #expect(try await deliveries.next()?.message?.text == "before")
      try await first.kill()
      let second = try await ServerProcess(port: first.port, Self.keeping)
      try await settle { (try? await client.publish("after", to: "kept.a")) != nil }
      let gap = try #require(try await deliveries.next()?.gap)
      #expect(gap.reason == .historyRestarted && gap.missed == nil)
      let message = try #require(try await deliveries.next()?.message)
      #expect(message.text == "after")
      try await second.stop()
    }
  }

  @Test("a server of before, which knows no positions, is followed as it was, and asked once")
  func olderServer() async throws {
    try await ScriptedServer.run(
      answer: { request in
        guard request.target.contains("positions") else { return nil }
        return .json(
          Array(#"{"error": {"code": "unknown_parameter", "message": "The query has …"}}"#.utf8), status: .badRequest)
      },
      socket: { socket in
        try? await socket.send("1-1 a\nraw")
        while await socket.receive() != nil {}
        return WebSocketClosure(.normal)
      }
    ) { server in
      try await withClient(server.url) { client in
        let subscription = try await client.subscribe(to: "a")
        #expect(subscription.recovery(of: "a")?.head == nil)
        var deliveries = subscription.makeAsyncIterator()
        #expect(try await deliveries.next() == .message(Message("1-1 a\nraw", to: "a")))
        _ = try await client.subscribe(to: "b")
        #expect(server.requests.count { $0.target.contains("positions") } == 1)
      }
    }
  }

  @Test(
    "a server that never says where a channel stands, or whose frames don't, is an error", arguments: [true, false])
  func strange(isSilent: Bool) async throws {
    try await ScriptedServer.run(
      answersState: false,
      socket: { socket in
        if !isSilent { try? await socket.send("hello") }
        while await socket.receive() != nil {}
        return WebSocketClosure(.normal)
      }
    ) { server in
      var configuration = RemoteBroadcast.Configuration.quick()
      if isSilent { configuration.requestTimeout = .milliseconds(200) }
      // A busy machine may need longer to begin with.
      configuration.hub.connectPatience = .seconds(60)
      try await withClient(server.url, configuration) { client in
        let error = await failure { _ = try await client.subscribe(to: "a") }
        #expect(error?.code == (isSilent ? .timedOut : .unavailable) && error?.isRetriable == true)
      }
    }
  }
}

extension Delivery {
  fileprivate var message: Message? { if case .message(let message) = self { message } else { nil } }
  fileprivate var gap: Gap? { if case .gap(let gap) = self { gap } else { nil } }
}
