//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

/// What else may happen to a Redis that keeps histories, under load.
@Suite(
  "Faults of a Redis with histories", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(3)))
struct HistoryFaultTests {
  /// Of these nobody notices anything.
  private static let unnoticed: [Fault] = [
    Fault(name: "SCRIPT FLUSH", isLossy: false, cutsSubscriber: false, reachesServer: true) { run, _ in
      let server = try #require(run.server as? RedisServer)
      for _ in 0..<10 {
        try await server.cli(["SCRIPT", "FLUSH"])
        try await run.allIsWell(within: Promised.recovering)
      }
    },
    Fault(name: "FLUSHALL", isLossy: false, cutsSubscriber: false, reachesServer: true) { run, _ in
      let server = try #require(run.server as? RedisServer)
      for _ in 0..<3 {
        try await server.cli(["FLUSHALL"])
        try await run.allIsWell(within: Promised.recovering)
      }
    },
  ]

  @Test("lost scripts, and lost data, cost those nothing who listen", arguments: unnoticed)
  func harmless(fault: Fault) async throws { try await FaultRun.run(fault, on: .redisHistory) }

  @Test("a reset of the line that asks costs nothing, also in the middle of coming back")
  func asking() async throws {
    try await FaultRun.run(
      Fault(name: "reset of the asking connection") { run, _ in
        for _ in 0..<3 {
          await run.proxy.cut()
          try await wait(for: "questions") { await run.proxy.cut(saying: "EVALSHA") > 0 }
          try await run.allIsWell(within: Promised.recovering)
        }
      }, on: .redisHistory)
  }

  @Test(
    "a kill -9 with its data: a gap where nobody knows what that is worth, and none where it is said to lose nothing",
    arguments: [Broker.redisWithData, .redisWithoutLoss])
  func crash(broker: Broker) async throws { try await FaultRun.run(.crash, on: broker) }

  @Test(
    "a server of ours that is killed, and replaced, costs its subscribers nothing either",
    arguments: [Fault.crash, .ended, .reset])
  func served(fault: Fault) async throws {
    try await FaultRun.run(fault, on: ServedBroker.broker(on: .redisHistory, history: "*=50000,64MiB"))
  }
}
