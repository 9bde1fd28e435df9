//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization
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

  @Test("after a lost connection everyone gets one gap when the channel stands again, then messages")
  func losing() async throws {
    let events = Mutex<[BroadcastEvent.Kind]>([])
    let configuration = HubConfiguration.quick { event in events.withLock { $0.append(event.kind) } }
    try await withScript(configuration) { hub, script in
      async let one = hub.subscribe(to: ["a", "b"])
      let (session, inbox) = try await script.connect()
      try await script.next().succeed()
      try await script.next().succeed()
      let two = try await hub.subscribe(to: "a")
      let subscription = try await one
      inbox.received(Message("before", to: "a"))
      session.fail(broken)

      let (_, again) = try await script.connect()
      inbox.received(Message("from a past session", to: "a"))
      let renewals = [try await script.next(), try await script.next()].sorted { $0.name < $1.name }
      #expect(renewals.map(\.name) == ["subscribe a", "subscribe b"])
      renewals[0].succeed()
      var iterator = two.makeAsyncIterator()
      // Told without any message after it.
      #expect(try await texts(&iterator, 2) == ["before", "gap:?:connectionLost"])
      again.received(Message("after", to: "a"))
      again.received(Message("overtakes", to: "b"))
      renewals[1].succeed()
      #expect(try await texts(&iterator, 1) == ["after"])
      var all: [Channel: [String]] = [:]
      for try await delivery in subscription {
        switch delivery {
        case .message(let message): all[message.channel, default: []].append(text(delivery))
        case .gap(let gap): all[gap.channel, default: []].append(text(delivery))
        }
        if all.values.map(\.count).reduce(0, +) == 5 { break }
      }
      #expect(all["a"] == ["before", "gap:?:connectionLost", "after"])
      #expect(all["b"] == ["gap:?:connectionLost", "overtakes"])
      while !events.withLock({ $0.contains(.resubscribed) }) { await Task.yield() }
      #expect(
        events.withLock { $0 }.filter { $0 != .resubscribed } == [.connected, .connectionLost, .retrying, .connected])
    }
  }

  @Test("while the connection is lost, calls throw a retriable error at once")
  func whileLost() async throws {
    var configuration = HubConfiguration.quick()
    configuration.shortestReconnectDelay = .seconds(600)
    configuration.longestReconnectDelay = .seconds(600)
    try await withScript(configuration) { hub, script in
      async let waiting = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      let call = try await script.next()
      session.fail(broken)
      // A subscribe that was under way fails with it, and its answer comes too late.
      do {
        _ = try await waiting
        Issue.record("no error")
      } catch let error as BroadcastError {
        #expect(error.code == .unavailable && error.isRetriable)
      }
      call.succeed()
      let published = await #expect(throws: BroadcastError.self) { try await hub.publish("x", to: "a") }
      #expect(published?.code == .unavailable && published?.isRetriable == true && published?.outcome == .notSent)
      let subscribed = await #expect(throws: BroadcastError.self) { try await hub.subscribe(to: "b") }
      #expect(subscribed?.code == .unavailable)
      #expect(hub.statistics.subscribers == 0)
      while hub.channels.feeds.count > 0 { await Task.yield() }
    }
  }

  @Test("who subscribes while a channel is being renewed gets no gap that is not its own")
  func newcomer() async throws {
    try await withScript { hub, script in
      async let old = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      try await script.next().succeed()
      let subscription = try await old
      session.fail(broken)
      let (_, inbox) = try await script.connect()
      let renewal = try await script.next()
      async let new = hub.subscribe(to: "a")
      while hub.statistics.subscribers < 2 { await Task.yield() }
      renewal.succeed()
      var newcomer = try await new.makeAsyncIterator()
      inbox.received(Message("x", to: "a"))
      #expect(try await texts(&newcomer, 1) == ["x"])
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 2) == ["gap:?:connectionLost", "x"])
    }
  }

  @Test("a refused renewal is tried again, slowly, and its readers stay")
  func refusedRenewal() async throws {
    try await withScript { hub, script in
      async let old = hub.subscribe(to: "a")
      let (session, _) = try await script.connect()
      try await script.next().succeed()
      let subscription = try await old
      session.fail(broken)
      _ = try await script.connect()
      try await script.next().fail(refused)
      let again = try await script.next()
      #expect(again.name == "subscribe a")
      again.succeed()
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["gap:?:connectionLost"])
    }
  }

  @Test("a first connection that is refused for good ends run() at once, and fails who waited for it")
  func refusedStart() async throws {
    let driver = ScriptedDriver()
    let hub = Hub(driver: driver, configuration: .quick())
    var script = ScriptedDriver.Script(driver)
    async let running: Void = hub.run()
    async let publishing = hub.publish("x", to: "a")
    try await script.next().fail(refused)
    do {
      try await running
      Issue.record("no error")
    } catch let error as BroadcastError {
      #expect(error.code == .refused)
    }
    do {
      _ = try await publishing
      Issue.record("no error")
    } catch let error as BroadcastError {
      #expect([.refused, .notRunning].contains(error.code) && error.outcome == .notSent)
    }
  }

  @Test("starting is tried again while the error is retriable, and not longer than its time")
  func retriedStart() async throws {
    try await withScript { hub, script in
      for _ in 0..<3 { try await script.next().fail(broken) }
      _ = try await script.connect()
      async let published = hub.publish("x", to: "a")
      try await script.next().succeed()
      _ = try await published
    }
    var configuration = HubConfiguration.quick()
    configuration.startPatience = .zero
    let driver = ScriptedDriver()
    let hub = Hub(driver: driver, configuration: configuration)
    var script = ScriptedDriver.Script(driver)
    async let running: Void = hub.run()
    try await script.next().fail(broken)
    do {
      try await running
      Issue.record("no error")
    } catch let error as BroadcastError {
      #expect(error.code == .unavailable)
    }
  }

  @Test("withBroadcast throws why run() failed, not what its closure made of it")
  func failureInScope() async throws {
    struct Other: Error {}
    let driver = ScriptedDriver()
    let hub = Hub(driver: driver, configuration: .quick())
    do {
      try await withBroadcast(hub) { hub in
        var script = ScriptedDriver.Script(driver)
        try await script.next().fail(refused)
        while await failure(of: { try await hub.publish("x", to: "a") })?.code != .notRunning { await Task.yield() }
        throw Other()
      }
      Issue.record("no error")
    } catch let error as BroadcastError {
      #expect(error.code == .refused)
    }
  }

  @Test("the end of run() ends sessions and calls under way, and fails who waits")
  func end() async throws {
    let driver = ScriptedDriver()
    let hub = Hub(driver: driver, configuration: .quick())
    var script = ScriptedDriver.Script(driver)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await hub.run() }
      _ = try await script.connect()
      async let subscribing = hub.subscribe(to: "a")
      _ = try await script.next()
      group.cancelAll()
      try await group.waitForAll()
      do {
        _ = try await subscribing
        Issue.record("no error")
      } catch let error as BroadcastError {
        #expect([.notRunning, .cancelled].contains(error.code))
      }
    }
    #expect(hub.statistics.subscribers == 0)
  }

  @Test("ten thousand channels are renewed, a bounded number of calls at once")
  func manyRenewals() async throws {
    try await withScript { hub, script in
      let (session, _) = try await script.connect()
      var subscriptions: [Subscription] = []
      for block in 0..<10 {
        async let subscription = hub.subscribe(to: (0..<1_000).map { Channel("\(block)/\($0)") })
        for _ in 0..<1_000 { try await script.next().succeed() }
        subscriptions.append(try await subscription)
      }
      session.fail(broken)
      _ = try await script.connect()
      for _ in 0..<10_000 { try await script.next().succeed() }
      for subscription in subscriptions {
        var count = 0
        for try await delivery in subscription {
          guard case .gap = delivery else { continue }
          count += 1
          if count == 1_000 { break }
        }
        #expect(count == 1_000)
      }
    }
  }
}
