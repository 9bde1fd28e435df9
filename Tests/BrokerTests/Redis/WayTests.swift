//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingTesting
import TestSupport
import Testing

@Suite(
  "Redis by TLS and by a Unix socket", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(2)))
struct RedisWayTests {
  @Test(
    "everybody is told the truth, and all is well soon",
    arguments: [(RedisWay.tls, Fault.blackhole), (.tls, .reset), (.socket, .crash)])
  func fault(way: RedisWay, fault: Fault) async throws { try await FaultRun.run(fault, on: way.broker()) }

  @Test("a backend conforms", arguments: ConformanceSuite.Chapter.allCases, RedisWay.allCases)
  func conforms(chapter: ConformanceSuite.Chapter, way: RedisWay) async throws {
    let broker = try way.broker()
    try await broker.withServer { server in
      try await ConformanceSuite { try broker.open(server.url(port: server.port), Events()) }.run(chapter)
    }
  }
}
