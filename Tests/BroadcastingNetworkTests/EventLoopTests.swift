//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork

/// An actor of a loop that notes what happens.
private actor Log {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private(set) var entries: [Int] = []

  init(on loop: EventLoop) { self.loop = loop }

  func add(_ entry: Int) {
    loop.assertIsolated()
    entries.append(entry)
  }

  func atTurnEnd(_ entry: Int) { loop.atTurnEnd { self.entries.append(entry) } }

  func yieldOften(_ entry: Int) async {
    for _ in 0..<3000 { await Task.yield() }
    entries.append(entry)
  }
}

extension EventLoop {
  fileprivate func assertIsolated() { #expect(isCurrent) }
}

@Suite(.timeLimit(.minutes(1)))
struct EventLoopTests {
  @Test("calls from another thread run in their order, on the loop")
  func foreignOrder() async throws {
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      let log = Log(on: loop)
      #expect(!loop.isCurrent)
      for number in 0..<5000 { loop.execute { log.assumeIsolated { $0.add(number) } } }
      #expect(await log.entries == Array(0..<5000))
    }
  }

  @Test("a call on the loop runs at once")
  func ownThread() async throws {
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      let log = Log(on: loop)
      await withTaskExecutorPreference(loop) {
        await Self.nested(loop, log)
      }
      #expect(await log.entries == [1, 2, 3])
    }
  }

  @concurrent private static func nested(_ loop: EventLoop, _ log: Log) async {
    #expect(loop.isCurrent)
    loop.execute { log.assumeIsolated { $0.add(1) } }
    loop.execute { log.assumeIsolated { $0.add(2) } }
    await log.add(3)
  }

  @Test("the end of a turn comes after its jobs")
  func turnEnd() async throws {
    try await withEventLoops(count: 1) { loops in
      let log = Log(on: loops[0])
      await withTaskExecutorPreference(loops[0]) {
        await log.atTurnEnd(9)
        await log.add(1)
        await withTaskGroup { group in
          for number in 2...4 { group.addTask { await log.add(number) } }
        }
        await log.atTurnEnd(10)
      }
      while await log.entries.count < 6 { await Task.yield() }
      #expect(await log.entries == [1, 2, 3, 4, 9, 10])
    }
  }

  @Test("children, async let and sleeping stay on the loop")
  func stays() async throws {
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      await withTaskExecutorPreference(loop) {
        await Self.checkChildren(loop)
      }
    }
  }

  @concurrent private static func checkChildren(_ loop: EventLoop) async {
    async let child: Void = { #expect(loop.isCurrent) }()
    // The sleep is what is tested: it must come back to the loop.
    try? await Task.sleep(for: .milliseconds(1))
    #expect(loop.isCurrent)
    await child
    await withDiscardingTaskGroup { $0.addTask { #expect(loop.isCurrent) } }
    #expect(loop.isCurrent)
  }

  @Test("jobs without end do not keep timers and other threads from their turn")
  func fairness() async throws {
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      try await withThrowingTaskGroup { group in
        group.addTask(executorPreference: loop) { while !Task.isCancelled { await Task.yield() } }
        try await loop.sleep(for: .milliseconds(5))
        await Log(on: loop).add(1)
        group.cancelAll()
      }
    }
  }

  @Test("many tasks that yield all come to their end")
  func manyJobs() async throws {
    try await withEventLoops(count: 2) { loops in
      let log = Log(on: loops[0])
      await withDiscardingTaskGroup { group in
        for number in 0..<100 { group.addTask(executorPreference: loops[number % 2]) { await log.yieldOften(number) } }
      }
      #expect(await log.entries.sorted() == Array(0..<100))
    }
  }

  @Test("after its end a loop still runs what comes, one at a time, and refuses new handles")
  func afterTheEnd() async throws {
    let loop = try await withEventLoops(count: 1) { $0[0] }
    let log = Log(on: loop)
    for number in 0..<1000 { loop.execute { log.assumeIsolated { $0.add(number) } } }
    #expect(await log.entries == Array(0..<1000))
    await withDiscardingTaskGroup { group in
      for _ in 0..<10 { group.addTask(executorPreference: loop) { await log.yieldOften(1) } }
    }
    #expect(await log.entries.count == 1010)
    await #expect(throws: NetworkError.self) { try await loop.sleep(for: .seconds(1)) }
    let error = await #expect(throws: NetworkError.self) {
      _ = try await loop.connect(to: "127.0.0.1", port: 1, within: .seconds(1)).loop
    }
    #expect(error?.code == .closed)
  }

  @Test("the end of the loops wakes who sleeps on them")
  func endWakes() async throws {
    let loop = try EventLoop()
    try loop.start()
    let progress = Progress(target: 1)
    let error = await withTaskGroup(of: NetworkError.Code?.self) { group in
      group.addTask {
        await progress.step()
        do throws(NetworkError) {
          try await loop.sleep(for: .seconds(1000))
          return nil
        } catch {
          return error.code
        }
      }
      await progress.reached()
      #expect(await loop.stop() == 0)
      return await group.next() ?? nil
    }
    #expect(error == .closed)
  }

  @Test("what the body throws comes out, after the loops have ended")
  func thrownByBody() async {
    struct Mine: Error {}
    await #expect(throws: Mine.self) { try await withEventLoops(count: 2) { _ in throw Mine() } }
  }

  @Test("a sleep ends when its task is cancelled, before and after it began")
  func cancelledSleep() async throws {
    try await withEventLoops(count: 1) { loops in
      for onLoop in [true, false] {
        let codes = await withTaskGroup(of: NetworkError.Code?.self) { group in
          for _ in 0..<100 {
            group.addTask(executorPreference: onLoop ? loops[0] : nil) {
              do throws(NetworkError) {
                try await loops[0].sleep(for: .seconds(1000))
                return nil
              } catch {
                return error.code
              }
            }
          }
          group.cancelAll()
          return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes == Array(repeating: .cancelled, count: 100))
      }
    }
  }
}
