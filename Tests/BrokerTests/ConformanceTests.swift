//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingTesting
import TestSupport
import Testing

@Suite("Conformance on a broker", .timeLimit(.minutes(2)))
struct ConformanceTests {
  @Test(
    "a backend conforms", arguments: ConformanceSuite.Chapter.allCases, Broker.reachable + Broker.histories)
  func direct(chapter: ConformanceSuite.Chapter, broker: Broker) async throws {
    try await broker.withURL { url in
      try await ConformanceSuite { try broker.open(url, Events()) }.run(chapter)
    }
  }

  /// Of names alone that are topics'.
  @Test(
    "a backend conforms on which a channel is a topic", .enabled(if: !Broker.topics.isEmpty, "Kafka is missing"),
    arguments: ConformanceSuite.Chapter.allCases.filter { $0 != .channelNames }, Broker.topics)
  func topics(chapter: ConformanceSuite.Chapter, broker: Broker) async throws {
    try await direct(chapter: chapter, broker: broker)
  }

  @Test(
    "a backend conforms whose broker is 20 ms away", arguments: ConformanceSuite.Chapter.allCases,
    Broker.startable + Broker.histories)
  func distant(chapter: ConformanceSuite.Chapter, broker: Broker) async throws {
    try await broker.withProxy(isHurt: false) { server, proxy in
      await proxy.setLatency(.milliseconds(20))
      let url = server.url(port: proxy.port)
      try await ConformanceSuite { try broker.open(url, Events()) }.run(chapter)
    }
  }
}
