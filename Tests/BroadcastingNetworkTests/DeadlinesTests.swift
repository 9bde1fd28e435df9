//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork

private final class Target: DeadlineTarget {
  var passed = 0
  var whenPassed: () -> Void = {}
  func deadlinePassed() {
    passed += 1
    whenPassed()
  }
}

private actor Owner {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  init(on loop: EventLoop) { self.loop = loop }

  func run(_ body: @Sendable (EventLoop, Deadlines) -> Void) { body(loop, loop.deadlines) }

  func waitForOne() async {
    let target = Target()
    let place = loop.deadlines.add(target)
    loop.deadlines.set(place, to: loop.now + .milliseconds(1))
    await withUnsafeContinuation { continuation in target.whenPassed = { continuation.resume() } }
    loop.deadlines.remove(place)
    withExtendedLifetime(target) {}
  }
}

@Suite(.timeLimit(.minutes(1)))
struct DeadlinesTests {
  private func withDeadlines(_ body: @Sendable (EventLoop, Deadlines) -> Void) async throws {
    try await withEventLoops(count: 1) { loops in await Owner(on: loops[0]).run(body) }
  }

  private static func at(_ milliseconds: UInt64) -> LoopInstant { LoopInstant(milliseconds: milliseconds) }

  @Test("a deadline passes once, not before its time, and can be moved both ways and cleared")
  func deadlines() async throws {
    try await withDeadlines { _, deadlines in
      let targets = (0..<4).map { _ in Target() }
      let places = targets.map { deadlines.add($0) }
      for place in places { deadlines.set(place, to: Self.at(1000)) }
      deadlines.set(places[1], to: Self.at(2000))
      deadlines.set(places[2], to: Self.at(500))
      deadlines.clear(places[3])
      deadlines.sweep(now: Self.at(999))
      #expect(targets.map(\.passed) == [0, 0, 1, 0])
      deadlines.sweep(now: Self.at(1000))
      #expect(targets.map(\.passed) == [1, 0, 1, 0])
      deadlines.sweep(now: Self.at(9000))
      #expect(targets.map(\.passed) == [1, 1, 1, 0])
      deadlines.set(places[0], to: Self.at(9500))
      deadlines.sweep(now: Self.at(9500))
      #expect(targets[0].passed == 2)
      for place in places { deadlines.remove(place) }
      #expect(deadlines.count == 0)
    }
  }

  @Test("a target may leave, and let others leave or come, when its deadline passes")
  func reentrancy() async throws {
    try await withDeadlines { _, deadlines in
      let first = Target()
      let second = Target()
      let third = Target()
      let places = [first, second].map { deadlines.add($0) }
      for place in places { deadlines.set(place, to: Self.at(1)) }
      first.whenPassed = {
        for place in places { deadlines.remove(place) }
        deadlines.set(deadlines.add(third), to: Self.at(5))
      }
      deadlines.sweep(now: Self.at(1))
      #expect([first.passed, second.passed, third.passed] == [1, 0, 0])
      deadlines.sweep(now: Self.at(5))
      #expect(third.passed == 1)
      #expect(deadlines.count == 1)
    }
  }

  @Test("the loop itself looks")
  func sweeps() async throws {
    try await withEventLoops(count: 1) { loops in await Owner(on: loops[0]).waitForOne() }
  }

  @Test("a duration is rounded up to a millisecond, and none is too long or too short")
  func rounding() {
    #expect(Duration.nanoseconds(1).wholeMilliseconds == 1)
    #expect(Duration.milliseconds(1500).wholeMilliseconds == 1500)
    #expect(Duration.seconds(-1).wholeMilliseconds == 0)
    #expect(Duration.zero.wholeMilliseconds == 0)
    #expect(Self.at(7) + .seconds(Int64.max) > Self.at(.max / 3))
    #expect(Self.at(5) - Self.at(9) == .zero)
    #expect(Self.at(9) - Self.at(5) == .milliseconds(4))
  }
}
