//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingTesting
import Testing

@Suite("Conformance", .timeLimit(.minutes(5)))
struct ConformanceTests {
  @Test("memory conforms", arguments: ConformanceSuite.Chapter.allCases)
  func memory(chapter: ConformanceSuite.Chapter) async throws {
    try await ConformanceSuite(sharesBroker: false) { MemoryBroadcast() }.run(chapter)
  }

  @Test("a hub with a driver conforms", arguments: ConformanceSuite.Chapter.allCases)
  func loopback(chapter: ConformanceSuite.Chapter) async throws {
    let broker = LoopbackBroker()
    try await ConformanceSuite {
      try BroadcastBackend.open("loopback://", among: [.memory, .loopback(broker)])
    }.run(chapter)
  }

  @Test("a backend that breaks a promise fails its chapter", arguments: ConformanceSuite.Chapter.allCases)
  func broken(chapter: ConformanceSuite.Chapter) async throws {
    let suite = ConformanceSuite(patience: .milliseconds(500)) { BrokenBroadcast(breaking: chapter) }
    let failure = await #expect(throws: ConformanceFailure.self) { try await suite.run(chapter) }
    #expect(failure?.chapter == chapter)
    #expect(failure?.message.isEmpty == false)
  }
}
