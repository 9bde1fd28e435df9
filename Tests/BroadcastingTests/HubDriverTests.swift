//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

private let refused = BroadcastError(.refused, "No.")
private let broken = BroadcastError(.unavailable, "Broken.", isRetriable: true)

@Suite("Hub with a driver that answers on command", .timeLimit(.minutes(2)))
struct HubDriverTests {
  @Test("subscribe returns when the broker has confirmed it, and messages come from the inbox")
  func basics() async throws {
    try await withScript { hub, script in
      async let subscribing = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      let call = try await script.next()
      #expect(call.name == "subscribe a")
      inbox.received(Array("early".utf8), on: "a")
      call.succeed()
      let subscription = try await subscribing
      inbox.received(Message("one", to: "a"))
      inbox.received([Message("two", to: "a"), Message("three", to: "a")], on: "a")
      inbox.received([], on: "a")
      inbox.received(Message("elsewhere", to: "b"))
      inbox.missed(4, on: "a")
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 5) == ["early", "one", "two", "three", "gap:4:brokerLoss"])
    }
  }

  @Test("publish goes through the driver, and returns its receipt or its error")
  func publishing() async throws {
    try await withScript { hub, script in
      async let receipt = hub.publish("x", to: "a")
      _ = try await script.connect()
      var call = try await script.next()
      #expect(call.name == "publish x")
      call.succeed()
      #expect(try await receipt.position == .init(epoch: 1, offset: 2))
      async let many = hub.publish([Message("1", to: "a"), Message("2", to: "b")])
      call = try await script.next()
      #expect(call.name == "publish 1,2")
      call.fail(broken)
      do {
        _ = try await many
        Issue.record("no error")
      } catch let error as BroadcastError {
        #expect(error.code == .unavailable && error.outcome == .unconfirmed)
      }
      #expect(hub.statistics.published == 1)
    }
  }

  @Test("what a backend cannot carry is refused before the driver is asked")
  func capabilities() async throws {
    let capabilities = Capabilities(maximumPayloadBytes: 5, carriesBinary: false, carriesHeaders: false)
    try await withScript(capabilities: capabilities) { hub, script in
      _ = try await script.connect()
      let cases: [(Message, BroadcastError.Code)] = [
        (Message("123456", to: "a"), .messageTooLarge),
        (Message("x", to: "a", headers: [.init("k", "v")]), .unsupportedHeaders),
        (Message([1], to: "a"), .invalidText),
        (Message("x", to: ""), .invalidChannel),
      ]
      for (message, code) in cases {
        let error = await #expect(throws: BroadcastError.self) { try await hub.publish(message) }
        #expect(error?.code == code && error?.outcome == .notSent)
      }
    }
  }

  @Test("two first subscribers share one call, and neither misses anything")
  func twoFirst() async throws {
    try await withScript { hub, script in
      async let one = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      let call = try await script.next()
      async let two = hub.subscribe(to: "a")
      while hub.statistics.subscribers < 2 { await Task.yield() }
      call.succeed()
      let subscriptions = try await [one, two]
      inbox.received(Message("x", to: "a"))
      for subscription in subscriptions {
        var iterator = subscription.makeAsyncIterator()
        #expect(try await texts(&iterator, 1) == ["x"])
      }
      async let third = hub.subscribe(to: "a")
      _ = try await third
    }
  }

  @Test("a failed subscription throws, leaves nothing, and the next one asks again")
  func failing() async throws {
    try await withScript { hub, script in
      async let first = hub.subscribe(to: ["a", "b"])
      _ = try await script.connect()
      var calls = [try await script.next(), try await script.next()].sorted { $0.name < $1.name }
      #expect(calls.map(\.name) == ["subscribe a", "subscribe b"])
      calls[0].succeed()
      calls[1].fail(refused)
      do {
        _ = try await first
        Issue.record("no error")
      } catch let error as BroadcastError {
        #expect(error.code == .refused)
      }
      let undo = try await script.next()
      #expect(undo.name == "unsubscribe a")
      undo.succeed()
      async let second = hub.subscribe(to: "b")
      calls[0] = try await script.next()
      #expect(calls[0].name == "subscribe b")
      calls[0].succeed()
      #expect(try await second.channels == ["b"])
    }
  }

  @Test("leaving does not wait behind subscriptions that the broker takes long over")
  func leavingBesideSlowSubscriptions() async throws {
    try await withScript(callsAtOnce: 8) { hub, script in
      async let first = hub.subscribe(to: "a")
      _ = try await script.connect()
      try await script.next().succeed()
      let leaving = try await first
      let slow = (0..<8).map { Channel("slow \($0)") }
      async let others = hub.subscribe(to: slow)
      var calls: [ScriptedDriver.Call] = []
      for _ in slow { calls.append(try await script.next()) }
      leaving.cancel()
      let call = try await script.next()
      #expect(call.name == "unsubscribe a")
      call.succeed()
      for call in calls { call.succeed() }
      _ = try await others
    }
  }

  @Test("a driver gets as many calls at once as it says, and the next when one is answered")
  func callsAtOnce() async throws {
    try await withScript(callsAtOnce: 2) { hub, script in
      async let subscription = hub.subscribe(to: ["a", "b", "c", "d"])
      _ = try await script.connect()
      var calls = [try await script.next(), try await script.next()]
      for _ in 0..<2 {
        #expect(!script.hasNext)
        calls.removeFirst().succeed()
        calls.append(try await script.next())
      }
      for call in calls { call.succeed() }
      #expect(try await subscription.channels.count == 4)
    }
  }

  @Test("a driver that says nothing gets 256 calls at once")
  func standardCallsAtOnce() { #expect(LoopbackDriver(broker: LoopbackBroker()).maximumCallsAtOnce == 256) }

  @Test("who comes while the last one's leaving is under way gets a subscription of the broker anew")
  func leavingAndComing() async throws {
    try await withScript { hub, script in
      async let first = hub.subscribe(to: "a")
      let (_, inbox) = try await script.connect()
      try await script.next().succeed()
      try await first.cancel()
      let leaving = try await script.next()
      #expect(leaving.name == "unsubscribe a")
      async let second = hub.subscribe(to: "a")
      while hub.statistics.subscribers < 1 { await Task.yield() }
      leaving.succeed()
      let coming = try await script.next()
      #expect(coming.name == "subscribe a")
      coming.succeed()
      var iterator = try await second.makeAsyncIterator()
      inbox.received(Message("x", to: "a"))
      #expect(try await texts(&iterator, 1) == ["x"])
    }
  }

  @Test("a cancelled waiter throws and does not cancel the call that others wait for")
  func cancelledWaiter() async throws {
    try await withScript { hub, script in
      let (_, inbox) = try await script.connect()
      async let patient = hub.subscribe(to: "a")
      let call = try await script.next()
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          let error = await #expect(throws: BroadcastError.self) { try await hub.subscribe(to: "a") }
          #expect(error?.code == .cancelled)
        }
        while hub.statistics.subscribers < 2 { await Task.yield() }
        group.cancelAll()
      }
      #expect(hub.statistics.subscribers == 1)
      call.succeed()
      var iterator = try await patient.makeAsyncIterator()
      inbox.received(Message("x", to: "a"))
      #expect(try await texts(&iterator, 1) == ["x"])
    }
  }

  @Test("when the only waiter is cancelled, the late confirmation is undone")
  func lateConfirmation() async throws {
    try await withScript { hub, script in
      _ = try await script.connect()
      let call = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await hub.subscribe(to: "a") }
        defer { group.cancelAll() }
        return try await script.next()
      }
      call.succeed()
      let undo = try await script.next()
      #expect(undo.name == "unsubscribe a")
      undo.succeed()
      while hub.channels.feeds.count > 0 { await Task.yield() }
    }
  }
}
