//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import BroadcastingNetwork
import Testing

@testable import BroadcastingBroker

/// A connection that is up from the start, and keeps what it was asked.
private actor FakeConnection: BrokerConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let mailbox: PublishMailbox
  nonisolated let calls: Calls

  init(_ mailbox: PublishMailbox, on loop: EventLoop, _ calls: Calls) {
    self.mailbox = mailbox
    self.loop = loop
    self.calls = calls
  }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    calls.add("run \(loop.isCurrent)")
    mailbox.open { [mailbox, calls] in
      for call in mailbox.takeAll() {
        calls.add("publish \(call.messages.count)")
        call.end(nil)
      }
    }
    inbox.connected()
    await untilCancelled()
  }

  func subscribe(to channel: Channel) async throws(BroadcastError) { calls.add("subscribe \(channel)") }
  func catchUp(with channel: Channel) async throws(BroadcastError) { calls.add("catch up \(channel)") }
  func unsubscribe(from channel: Channel) async throws(BroadcastError) { calls.add("unsubscribe \(channel)") }
}

/// One that takes messages itself.
private actor FakePublisher: PublishingConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  nonisolated let calls: Calls

  init(on loop: EventLoop, _ calls: Calls) {
    self.loop = loop
    self.calls = calls
  }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    inbox.connected()
    await untilCancelled()
  }

  func subscribe(to channel: Channel) async throws(BroadcastError) {}
  func unsubscribe(from channel: Channel) async throws(BroadcastError) {}

  nonisolated func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    calls.add("publish \(messages.count)")
    return messages.map { _ in Receipt() }
  }

  func close() async { calls.add("close") }
}

private final class Calls: Sendable {
  private let names = Lock([String]())
  var all: [String] { names.withLock { $0 } }
  func add(_ name: String) { names.withLock { $0.append(name) } }
}

@Suite("The driver of a backend with a broker", .timeLimit(.minutes(1)))
struct BrokerDriverTests {
  private let calls = Calls()

  private func driver(on loop: EventLoop? = nil) -> BrokerDriver {
    BrokerDriver(Capabilities(mayDeliverEarlierMessages: false), on: loop) { [calls] mailbox, loop in
      FakeConnection(mailbox, on: loop, calls)
    }
  }

  /// Runs a driver while `body` runs, once it is connected.
  private func run(_ driver: BrokerDriver, _ body: (Hub) async throws -> Void) async throws {
    let hub = Hub(driver: driver)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await driver.run(hub) }
      while !hub.statistics.isAvailable { await Task.yield() }
      try await body(hub)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  @Test("the hub's calls reach the connection, which runs on the loop, and messages its mailbox")
  func calls() async throws {
    try await run(driver()) { hub in
      let subscription = try await hub.subscribe(to: ["a"], options: .init())
      let second = try await hub.subscribe(to: ["a"], options: .init())
      try await hub.publish(Message("x", to: "a"))
      subscription.cancel()
      second.cancel()
      while !calls.all.contains("unsubscribe a") { await Task.yield() }
    }
    #expect(calls.all == ["run true", "subscribe a", "catch up a", "publish 1", "unsubscribe a"])
  }

  @Test("a loop that it is given stays open")
  func foreignLoop() async throws {
    try await withEventLoops(count: 1) { loops in
      try await run(driver(on: loops[0])) { hub in try await hub.publish(Message("x", to: "a")) }
      try await loops[0].sleep(for: .milliseconds(1))
    }
    #expect(calls.all == ["run true", "publish 1"])
  }

  @Test("a second run is refused while the first one lasts")
  func twice() async throws {
    let driver = driver()
    try await run(driver) { hub in
      let error = await #expect(throws: BroadcastError.self) { try await driver.run(hub) }
      #expect(error?.code == .alreadyRunning)
    }
  }

  @Test("nothing works before the run, and after its end")
  func outside() async throws {
    let driver = driver()
    let before = await #expect(throws: BroadcastError.self) { try await driver.publish([Message("x", to: "a")]) }
    #expect(before?.code == .unavailable && before?.outcome == .notSent)
    try await run(driver) { _ in }
    let after = await #expect(throws: BroadcastError.self) { try await driver.publish([Message("x", to: "a")]) }
    #expect(after?.code == .notRunning && after?.outcome == .notSent)
    let call = await #expect(throws: BroadcastError.self) { try await driver.subscribe(to: Channel("a")) }
    #expect(call?.code == .notRunning)
    // The hub has ended too, and says so.
    let again = await #expect(throws: BroadcastError.self) { try await driver.run(Hub(driver: driver)) }
    #expect(again?.code == .notRunning)
  }

  @Test("a connection that takes messages itself gets them, and is closed at the end")
  func publisher() async throws {
    let driver = BrokerDriver(Capabilities(), on: nil) { [calls] loop in FakePublisher(on: loop, calls) }
    let before = await #expect(throws: BroadcastError.self) { try await driver.publish([Message("x", to: "a")]) }
    #expect(before?.code == .notRunning)
    try await run(driver) { hub in try await hub.publish(Message("x", to: "a")) }
    #expect(calls.all == ["publish 1", "close"])
  }

  @Test("each message has its receipt")
  func receipts() async throws {
    let driver = driver()
    try await run(driver) { _ in
      for count in 1...2 {
        let receipts = try await driver.publish([Message](repeating: Message("x", to: "a"), count: count))
        #expect(receipts.count == count)
      }
    }
    #expect(calls.all == ["run true", "publish 1", "publish 2"])
  }

  @Test("a connection that does not say otherwise has caught up at once")
  func catchingUp() async throws {
    let driver = BrokerDriver(Capabilities(), on: nil) { [calls] loop in FakePublisher(on: loop, calls) }
    try await run(driver) { _ in try await driver.catchUp(with: Channel("a")) }
  }

  @Test("patterns are refused by a connection that does not know them")
  func patterns() async throws {
    let driver = driver()
    try await run(driver) { _ in
      let error = await #expect(throws: BroadcastError.self) { try await driver.subscribe(to: ChannelPattern("a*")) }
      #expect(error?.code == .unsupportedPatterns)
    }
  }
}
