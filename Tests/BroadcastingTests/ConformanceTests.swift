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
    try await ConformanceSuite(sharesBroker: false) { MemoryBroadcast(configuration: .conformance) }.run(chapter)
  }

  @Test("memory conforms that keeps nothing", arguments: [ConformanceSuite.Chapter.positions, .history, .recovery])
  func forgetfulMemory(chapter: ConformanceSuite.Chapter) async throws {
    try await ConformanceSuite(sharesBroker: false) { MemoryBroadcast() }.run(chapter)
  }

  @Test("a hub with a driver conforms", arguments: ConformanceSuite.Chapter.allCases)
  func loopback(chapter: ConformanceSuite.Chapter) async throws {
    let broker = LoopbackBroker()
    try await ConformanceSuite {
      try BroadcastBackend.open("loopback://", among: [.memory, .loopback(broker)])
    }.run(chapter)
  }

  @Test("a hub with a driver that keeps messages conforms", arguments: ConformanceSuite.Chapter.allCases)
  func keeping(chapter: ConformanceSuite.Chapter) async throws {
    let broker = KeepingBroker(maximumMessages: 50)
    try await ConformanceSuite { Hub(driver: KeepingDriver(broker: broker), configuration: .conformance) }.run(chapter)
  }

  @Test("a backend that breaks a promise fails its chapter", arguments: ConformanceSuite.Chapter.allCases)
  func broken(chapter: ConformanceSuite.Chapter) async throws {
    let suite = ConformanceSuite(patience: .milliseconds(500)) { BrokenBroadcast(breaking: chapter) }
    let failure = await #expect(throws: ConformanceFailure.self) { try await suite.run(chapter) }
    #expect(failure?.chapter == chapter)
    #expect(failure?.message.isEmpty == false)
  }

  @Test("a chapter whose time is over fails, also where all that it waited for ends without an error")
  func timeOut() async throws {
    let patience = Duration.milliseconds(20)
    try await withBroadcast(MemoryBroadcast()) { base in
      for chapter in [ConformanceSuite.Chapter.lifecycle, .promptness] {
        let suite = ConformanceSuite(sharesBroker: false, patience: patience) { EndlessBroadcast(base: base) }
        let failure = await #expect(throws: ConformanceFailure.self) { try await suite.run(chapter) }
        #expect(failure?.chapter == chapter)
        #expect(failure?.description.contains("\(chapter): It was not done after \(patience).") == true)
      }
    }
  }

  @Test("a chapter whose task is cancelled fails, although nothing in it did")
  func cancelled() async throws {
    try await withBroadcast(MemoryBroadcast()) { base in
      let endless = EndlessBroadcast(base: base)
      let suite = ConformanceSuite(sharesBroker: false) { endless }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          let failure = await #expect(throws: ConformanceFailure.self) { try await suite.run(.lifecycle) }
          #expect(failure?.chapter == .lifecycle)
        }
        try await endless.waitForEnd()
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }
}

extension HubConfiguration {
  /// With the histories that the suite asks for.
  static var conformance: HubConfiguration {
    var configuration = HubConfiguration()
    configuration.history = [.init("conformance.history.*", HistoryPolicy(maximumMessages: 50))]
    return configuration
  }
}
