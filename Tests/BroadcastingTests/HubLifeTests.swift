//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

@testable import Broadcasting

private let refused = BroadcastError(.refused, "No.")
private let broken = BroadcastError(.unavailable, "Broken.", isRetriable: true)

@Suite("Start and end of a hub with a driver", .timeLimit(.minutes(2)))
struct HubLifeTests {
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
      #expect(error.code == .notRunning && error.outcome == .notSent && !error.isRetriable)
      #expect((error.underlying as? BroadcastError)?.code == .refused)
      #expect(error.message.contains(refused.message))
    }
  }

  @Test("who waits for the first connection for too long learns that the broker is not reached yet")
  func notReachedYet() async throws {
    var configuration = HubConfiguration.quick()
    configuration.startPatience = .milliseconds(1)
    try await withScript(configuration) { hub, script in
      let session = try await script.next()
      #expect(session.name == "run")
      let published = await failure { try await hub.publish("x", to: "a") }
      #expect(published?.code == .unavailable && published?.isRetriable == true && published?.outcome == .notSent)
      #expect(published?.message.contains("not been reached yet") == true && published?.underlying == nil)
      let subscribed = await failure { try await hub.subscribe(to: "a") }
      #expect(subscribed?.code == .unavailable && subscribed?.isRetriable == true)
    }
  }

  @Test("and learns of the last attempt's error; only where nobody called run() it is said so")
  func lastAttempt() async throws {
    try await withScript { hub, script in
      try await script.next().fail(broken)
      try await script.next().fail(BroadcastError(.timedOut, "Too late.", isRetriable: true))
      // The third attempt begins when the second is over.
      #expect(try await script.next().name == "run")
      let error = hub.lifecycle.withLock { $0.impatience(after: .seconds(1)) }
      #expect(error?.code == .unavailable && (error?.underlying as? BroadcastError)?.code == .timedOut)
      #expect(error?.message.contains("Too late.") == true)
    }
    #expect(Lifecycle().impatience(after: .seconds(1))?.code == .notRunning)
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
    configuration.connectPatience = .zero
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
        // Not that it was cancelled, which is what the driver says: the caller was not.
        #expect(error.code == .notRunning)
      }
    }
    #expect(hub.statistics.subscribers == 0)
  }
}
