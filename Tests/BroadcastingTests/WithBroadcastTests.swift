//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

private let refused = BroadcastError(.refused, "No.")

@Suite("withBroadcast", .timeLimit(.minutes(1)))
struct WithBroadcastTests {
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

  @Test("when run() fails, the closure of withBroadcast goes on, and its calls fail with the reason")
  func failureBesideClosure() async throws {
    let driver = ScriptedDriver()
    let error = await failure {
      try await withBroadcast(Hub(driver: driver, configuration: .quick())) { hub in
        var script = ScriptedDriver.Script(driver)
        async let waiting = failure { try await hub.publish("x", to: "a") }
        try await script.next().fail(refused)
        let errors = [
          await waiting, await failure { try await hub.publish("x", to: "a") },
          await failure { try await hub.subscribe(to: "a") },
          await failure { try await hub.join([.channel("a")], .init()) },
        ]
        for error in errors {
          #expect(error?.code == .notRunning && (error?.underlying as? BroadcastError)?.code == .refused)
        }
        #expect(!Task.isCancelled)
      }
    }
    #expect(error?.code == .refused)
  }

  @Test("it throws why run() failed also when its closure is done before run() is", arguments: [false, true])
  func lateFailure(returns: Bool) async {
    struct Other: Error {}
    let error = await failure {
      try await withBroadcast(LateFailure(error: refused)) { _ in
        if !returns { throw Other() }
      }
    }
    #expect(error?.code == .refused)
  }

  @Test("that run() was cancelled because its closure is done is no failure")
  func cancelledRun() async throws {
    let result = try await withBroadcast(LateFailure(error: .cancelled)) { _ in 7 }
    #expect(result == 7)
  }
}

/// A backend whose `run()` throws when it is cancelled, and not before.
private struct LateFailure: Broadcast {
  let error: BroadcastError
  private let base = MemoryBroadcast()

  init(error: BroadcastError) { self.error = error }

  var capabilities: Capabilities { base.capabilities }
  var statistics: BroadcastStatistics { base.statistics }

  func run() async throws(BroadcastError) {
    try await base.run()
    throw error
  }

  func publish(_ message: Message) async throws(BroadcastError) -> Receipt { try await base.publish(message) }
  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] { try await base.publish(messages) }

  func subscribe(
    to channels: [Channel], options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    try await base.subscribe(to: channels, options: options)
  }
}
