//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite(.timeLimit(.minutes(1)), .serialized)
struct SignalTests {
  @Test("a signal is told, each number once for many, and does nothing else")
  func signals() async throws {
    try await withEventLoops(count: 1) { loops in
      let watch = SignalWatch([SIGUSR1, SIGUSR2], on: loops[0])
      try await watch.open()
      for _ in 0..<3 { kill(getpid(), SIGUSR1) }
      #expect(try await watch.next() == SIGUSR1)
      kill(getpid(), SIGUSR2)
      var next = try await watch.next()
      // The last of the three may have come after the first was taken.
      while next == SIGUSR1 { next = try await watch.next() }
      #expect(next == SIGUSR2)
      await watch.close()
      #expect(try await watch.next() == nil)
    }
  }

  @Test("waiting for a signal ends when the task is cancelled")
  func cancelled() async throws {
    try await withEventLoops(count: 1) { loops in
      let watch = SignalWatch([SIGUSR1], on: loops[0])
      try await withThrowingTaskGroup { group in
        group.addTask {
          let number = try await watch.next()
          #expect(number == nil)
        }
        group.cancelAll()
        try await group.waitForAll()
      }
      await watch.close()
    }
  }

  @Test("a signal that no one can catch is an error")
  func uncatchable() async throws {
    try await withEventLoops(count: 1) { loops in
      let watch = SignalWatch([SIGUSR1, SIGKILL], on: loops[0])
      await #expect(throws: NetworkError.self) { try await watch.open() }
    }
  }
}
