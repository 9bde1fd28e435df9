//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "A Redis that ends single connections", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(2)))
struct KilledClientTests {
  /// CLIENT KILL, without the other connections of the same programs.
  private static let kills: [Fault] = [
    Fault(name: "those that subscribe", reachesServer: true) { run, _ in try await end("pubsub", run) },
    Fault(name: "those that publish", cutsSubscriber: false, reachesServer: true) { run, _ in
      try await end("normal", run)
    },
  ]

  /// Of the three programs behind the proxy, and of the witness.
  private static let connections = 4

  private static func end(_ type: String, _ run: FaultRun) async throws {
    let server = try #require(run.server as? RedisServer)
    for _ in 0..<3 {
      // That all is well says nothing of the lines which the witness does not need for it.
      try await wait(for: "all lines") {
        let clients = try await server.cli(["CLIENT", "LIST", "TYPE", type]).split(separator: "\n")
        return clients.count { $0.contains("name=swift-broadcast") } == connections
      }
      let start = ContinuousClock.now
      #expect(try await server.cli(["CLIENT", "KILL", "TYPE", type]) == "\(connections)")
      try await wait(for: "losses") { run.events.count(.connectionLost, since: start) >= 3 }
      try await run.allIsWell(within: Promised.recovering)
    }
  }

  @Test("everybody is told the truth, and all is well soon", arguments: kills)
  func fault(fault: Fault) async throws { try await FaultRun.run(fault, on: .redis) }
}
