//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import BroadcastingWeb
import TestSupport
import Testing

@testable import BroadcastingClient

@Suite("Subscribing as a client", .timeLimit(.minutes(1)))
struct SubscribingTests {
  @Test("a server that dies and comes back is a gap, and then its messages")
  func serverRestarts() async throws {
    let first = try await ServerProcess()
    try await withClient(first.url) { client in
      var deliveries = try await client.subscribe(to: "a").makeAsyncIterator()
      try await client.publish("before", to: "a")
      #expect(try await deliveries.next() == .message(Message("before", to: "a")))
      try await first.kill()
      let error = await failure { for _ in 1...1000 { try await client.publish("meanwhile", to: "a") } }
      #expect(error?.isRetriable == true)

      let second = try await ServerProcess(port: first.port)
      #expect(try await deliveries.next() == .gap(Gap(channel: "a", missed: nil, reason: .connectionLost)))
      try await client.publish("after", to: "a")
      #expect(try await deliveries.next() == .message(Message("after", to: "a")))
      try await second.stop()
    }
  }

  @Test("a line that is dead without a word is noticed")
  func halfOpen() async throws {
    try await ScriptedServer.run { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        var configuration = RemoteBroadcast.Configuration.quick()
        configuration.sockets = WebSocketTimeouts(ping: .milliseconds(100), silence: .milliseconds(300))
        try await withClient(proxy.url, configuration) { client in
          var deliveries = try await client.subscribe(to: "a").makeAsyncIterator()
          await proxy.set(.silent)
          await proxy.setForNew(.forward)
          #expect(try await deliveries.next() == .gap(Gap(channel: "a", missed: nil, reason: .connectionLost)))
        }
      }
    }
  }

  @Test("that the server takes nobody in for a moment costs a standing subscription nothing")
  func noNewConnections() async throws {
    let server = try await ServerProcess()
    try await FaultyProxy.with(to: server.port) { proxy in
      let events = Events()
      try await withClient(proxy.url, .quick(events)) { client in
        var deliveries = try await client.subscribe(to: "a").makeAsyncIterator()
        await proxy.refuse()
        let error = await failure { _ = try await client.subscribe(to: "b") }
        #expect(error?.code == .unavailable && error?.isRetriable == true)
        try await proxy.listenAgain()
        try await client.publish("still here", to: "a")
        #expect(try await deliveries.next() == .message(Message("still here", to: "a")))
        #expect(events.lostSessions == 0)
        _ = try await client.subscribe(to: "b")
      }
    }
    try await server.stop()
  }

  @Test("the usual times notice a dead line within 35 s")
  func usualTimes() {
    let times = RemoteBroadcast.Configuration().sockets
    // Each is noticed up to a second late.
    #expect(times.silence + .seconds(1) < .seconds(35))
    #expect(times.ping + .seconds(1) < times.silence)
  }

  @Test("a server that dropped messages is a gap that says so, and no other channel hears of it")
  func missedMessages() async throws {
    let sockets = Lock<[WebSocket]>([])
    let release = Gate()
    try await ScriptedServer.run(socket: { socket in
      sockets.withLock { $0.append(socket) }
      if sockets.withLock({ $0.count }) == 1 {
        await release.wait()
        return WebSocketClosure(.missedMessages, "You were too slow.")
      }
      while await socket.receive() != nil {}
      return WebSocketClosure(.normal)
    }) { server in
      let events = Events()
      try await withClient(server.url, .quick(events)) { client in
        var first = try await client.subscribe(to: "a").makeAsyncIterator()
        var second = try await client.subscribe(to: "b").makeAsyncIterator()
        try await settle { sockets.withLock { $0.count } == 2 }
        release.open()
        #expect(try await first.next() == .gap(Gap(channel: "a", missed: nil, reason: .brokerLoss)))
        try await settle { sockets.withLock { $0.count } == 3 }
        // The first has gone, the second is that of b, and the third is that with which a came back.
        for (socket, name) in zip(sockets.withLock({ $0 }), ["a", "b", "a"]) {
          try? await socket.send("- \(name)\nhello")
        }
        #expect(try await first.next() == .message(Message("hello", to: "a")))
        #expect(try await second.next() == .message(Message("hello", to: "b")))
        #expect(events.lostSessions == 0)
      }
    }
  }

  @Test("a refused channel is an error that says why, and others go on")
  func refusedChannel() async throws {
    let server = try await ServerProcess(["--channels", "open.*"])
    try await withClient(server.url) { client in
      let error = await failure { _ = try await client.subscribe(to: "closed") }
      #expect(error?.code == .refused)
      #expect((error?.underlying as? ServerRefusal)?.code == "channel_not_allowed")
      let pushed = await failure { try await client.publish("x", to: "closed") }
      #expect(pushed?.code == .refused)
      #expect(pushed?.outcome == .notSent)
      var deliveries = try await client.subscribe(to: "open.a").makeAsyncIterator()
      try await client.publish("x", to: "open.a")
      #expect(try await deliveries.next() == .message(Message("x", to: "open.a")))
    }
    try await server.stop()
  }

  @Test("200 channels, each with its own messages")
  func manyChannels() async throws {
    let server = try await ServerProcess()
    try await withClient(server.url) { client in
      let channels = (1...200).map { Channel("channel \($0)") }
      var subscriptions: [Subscription] = []
      try await withThrowingTaskGroup { group in
        for channel in channels { group.addTask { try await client.subscribe(to: channel) } }
        for try await subscription in group { subscriptions.append(subscription) }
      }
      for channel in channels { try await client.publish(channel.name, to: channel) }
      for subscription in subscriptions {
        var deliveries = subscription.makeAsyncIterator()
        #expect(
          try await deliveries.next() == .message(Message(subscription.channels[0].name, to: subscription.channels[0])))
      }
    }
    try await server.stop()
  }

  @Test("two clients reach each other, and leaving closes the socket")
  func twoClients() async throws {
    try await withTwoClients { first, second, server in
      do {
        var deliveries = try await first.subscribe(to: "a").makeAsyncIterator()
        try await second.publish([1, 2, 3], to: "a")
        #expect(try await deliveries.next() == .message(Message([1, 2, 3], to: "a")))
      }
      try await settle { first.statistics.channels == 0 }
      // The next one is a new socket, and hears.
      var deliveries = try await first.subscribe(to: "a").makeAsyncIterator()
      try await second.publish("x", to: "a")
      #expect(try await deliveries.next() == .message(Message("x", to: "a")))
    }
  }

  private func withTwoClients(
    _ body: (RemoteBroadcast, RemoteBroadcast, ServerProcess) async throws -> Void
  ) async throws {
    let server = try await ServerProcess()
    try await withClient(server.url) { first in
      try await withClient(server.url) { second in try await body(first, second, server) }
    }
    try await server.stop()
  }

  @Test("a cancelled subscribe ends at once")
  func cancelledSubscribe() async throws {
    let (asked, release) = (Gate(), Gate())
    try await ScriptedServer.run(answer: { request in
      guard request.asksForWebSocket else { return nil }
      asked.open()
      await release.wait()
      return nil
    }) { server in
      try await withClient(server.url) { client in
        await withTaskGroup { group in
          group.addTask {
            #expect(await failure { _ = try await client.subscribe(to: "a") }?.code == .cancelled)
          }
          await asked.wait()
          group.cancelAll()
        }
        release.open()
      }
    }
  }

  @Test("a stopped server with 1001 is a gap when it is back, and the buffered messages come first")
  func stoppingServer() async throws {
    let first = try await ServerProcess()
    try await withClient(first.url) { client in
      var deliveries = try await client.subscribe(to: "a").makeAsyncIterator()
      for number in 1...10 { try await client.publish("\(number)", to: "a") }
      try await first.stop()
      let second = try await ServerProcess(port: first.port)
      for number in 1...10 { #expect(try await deliveries.next() == .message(Message("\(number)", to: "a"))) }
      #expect(try await deliveries.next() == .gap(Gap(channel: "a", missed: nil, reason: .connectionLost)))
      try await second.stop()
    }
  }
}
