//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import TestSupport
import Testing

@Suite("Running until the first completes", .timeLimit(.minutes(1)))
struct RaceTests {
  private struct First: Error {}
  private struct Second: Error {}

  @Test("the first that returns ends the other, which has ended when it returns", arguments: [false, true])
  func firstReturns(isSecond: Bool) async throws {
    let ended = Counter()
    let waits: @isolated(any) @Sendable () async throws -> Void = {
      await Gate().wait()
      ended.next()
      throw Second()
    }
    if isSecond {
      try await runUntilFirstCompletes(waits, {})
    } else {
      try await runUntilFirstCompletes({}, waits)
    }
    #expect(ended.value == 1)
  }

  @Test("the first that throws is what is thrown")
  func firstThrows() async {
    await #expect(throws: First.self) {
      try await runUntilFirstCompletes(
        { throw First() },
        {
          await Gate().wait()
          throw Second()
        })
    }
  }

  @Test("cancelling the caller ends all")
  func cancelled() async throws {
    let (started, ended) = (Counter(), Counter())
    try await withThrowingTaskGroup { group in
      group.addTask {
        try await runUntilFirstCompletes(
          {
            started.next()
            await Gate().wait()
            ended.next()
          },
          {
            started.next()
            await Gate().wait()
            ended.next()
          })
      }
      try await settle { started.value == 2 }
      group.cancelAll()
    }
    #expect(ended.value == 2)
  }

  @Test("when both complete at once, one of them counts")
  func atOnce() async {
    for _ in 0..<200 {
      let gate = Gate()
      async let opening: Void = gate.open()
      await #expect {
        try await runUntilFirstCompletes(
          {
            await gate.wait()
            throw First()
          },
          {
            await gate.wait()
            throw Second()
          })
      } throws: {
        $0 is First || $0 is Second
      }
      await opening
    }
  }
}
