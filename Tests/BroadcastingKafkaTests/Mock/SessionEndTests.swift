//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingKafka

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("The end of a session", .timeLimit(.minutes(1)))
struct SessionEndTests {
  enum Moment: String, CaseIterable, Codable {
    /// The library tries to connect.
    case connecting
    case underLoad
    case suspended
  }

  private static func round(_ moment: Moment) async throws {
    try await MockKafka.with { kafka in
      kafka.createProbeTopic()
      kafka.create("t")
      let events = Events()
      // A question under way holds a handle for as long.
      let limit = moment == .connecting ? Duration.seconds(2) : .seconds(20)
      let broadcast = try kafka.broadcast("topic=t", events, connectTimeout: limit)
      if moment == .connecting {
        kafka.delay(milliseconds: 10_000)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await broadcast.run() }
          try await settle { LibraryThreads.count > 4 }
          group.cancelAll()
        }
        return
      }
      try await withBroadcast(broadcast) { broadcast in
        try await broadcast.withSubscription(to: "t") { messages in
          try await broadcast.publish("a", to: "t")
          if moment == .suspended {
            kafka.takeDown()
            try await settle { events.count(.connectionLost) > 0 }
          }
          await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
              group.addTask { _ = await failure { try await broadcast.publish("\(number)", to: "t") } }
            }
            group.cancelAll()
          }
        }
      }
    }
  }

  @Test("gives threads and descriptors back", arguments: Moment.allCases)
  func givesBack(moment: Moment) async throws {
    // The count of a process is that of all its tests.
    await #expect(processExitsWith: .success) { [moment] in
      // The first opens what stays.
      try await Self.round(moment)
      let descriptors = ProcessDescriptors.count
      for _ in 0..<5 { try await Self.round(moment) }
      // What held a handle up at its end lets go of it soon: the test's limit is that of this.
      try await settle { LibraryThreads.count == 0 }
      // The pool of threads may have opened some for itself. A leak would be one of a round at least.
      try await settle { ProcessDescriptors.count < descriptors + 5 }
    }
  }
}
