//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingPostgres

@Suite("Commands of the listening connection")
struct ListenCommandsTests {
  typealias Commands = ListenCommands<String>

  private let now = LoopInstant(milliseconds: 1_000)
  private let later = LoopInstant(milliseconds: 3_000)
  private let error = BroadcastError(.timedOut, "too late", isRetriable: true)

  private func waiters(_ endings: [Commands.Ending]) -> [String] {
    endings.map { $0.error == nil ? $0.waiter : "\($0.waiter) failed" }
  }

  @Test("all that waits goes at once, and what comes meanwhile goes next")
  func gathering() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    commands.add(.listen, "b", deadline: later, waiter: "2")
    #expect(commands.next(now: now, timeout: .seconds(2)).map(\.channel) == ["a", "b"])
    commands.add(.unlisten, "a", deadline: later, waiter: "3")
    #expect(commands.next(now: now, timeout: .seconds(2)).isEmpty)
    #expect(waiters(commands.succeeded(now: now).endings) == ["1", "2"])
    #expect(commands.next(now: now, timeout: .seconds(2)).map(\.channel) == ["a"])
    let step = commands.succeeded(now: now)
    #expect(waiters(step.endings) == ["3"] && step.forgotten == ["a"])
    #expect(commands.next(now: now, timeout: .seconds(2)).isEmpty && commands.nextDeadline == nil)
  }

  @Test("where some fail they go by halves, and only the guilty one fails")
  func halves() {
    var commands = Commands()
    for name in ["a", "bad", "c"] { commands.add(.listen, Channel(name), deadline: later, waiter: name) }
    #expect(commands.next(now: now, timeout: .seconds(2)).count == 3)
    #expect(waiters(commands.failed(now: now, because: error).endings).isEmpty)
    #expect(commands.next(now: now, timeout: .seconds(2)).map(\.channel) == ["a", "bad"])
    #expect(waiters(commands.failed(now: now, because: error).endings).isEmpty)
    #expect(commands.next(now: now, timeout: .seconds(2)).map(\.channel) == ["a"])
    #expect(waiters(commands.succeeded(now: now).endings) == ["a"])
    #expect(commands.next(now: now, timeout: .seconds(2)).map(\.channel) == ["bad"])
    let step = commands.failed(now: now, because: error)
    #expect(waiters(step.endings) == ["bad failed"] && step.forgotten == ["bad"])
    #expect(commands.next(now: now, timeout: .seconds(2)).map(\.channel) == ["c"])
    #expect(waiters(commands.succeeded(now: now).endings) == ["c"])
  }

  @Test("one at fault among 512 costs some twenty statements, and the others keep their order")
  func few() {
    var commands = Commands()
    let names = (0..<512).map { "\($0)" }
    for name in names { commands.add(.listen, Channel(name), deadline: later, waiter: name) }
    var statements = 0
    var ended: [String] = []
    while case let next = commands.next(now: now, timeout: .seconds(2)), !next.isEmpty {
      statements += 1
      let isRefused = next.contains { $0.channel == "300" }
      ended += waiters((isRefused ? commands.failed(now: now, because: error) : commands.succeeded(now: now)).endings)
    }
    #expect(statements <= 20)
    #expect(ended == names.map { $0 == "300" ? "300 failed" : $0 })
  }

  @Test("a confirmation that comes too late is taken back")
  func lateConfirmation() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(now: now, timeout: .seconds(2))
    #expect(commands.nextDeadline == later)
    #expect(waiters(commands.expire(now: now, because: error).endings).isEmpty)
    #expect(waiters(commands.expire(now: later, because: error).endings) == ["1 failed"])
    #expect(commands.nextDeadline == nil)
    #expect(waiters(commands.succeeded(now: later).endings).isEmpty)
    let next = commands.next(now: now, timeout: .seconds(2))
    #expect(next.map(\.channel) == ["a"] && next.first?.kind == .unlisten)
    #expect(commands.succeeded(now: later).forgotten == ["a"])
    #expect(commands.next(now: now, timeout: .seconds(2)).isEmpty)
  }

  @Test("one that comes too late stays where it was asked for again")
  func askedAgain() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(now: now, timeout: .seconds(2))
    _ = commands.expire(now: later, because: error)
    commands.add(.listen, "a", deadline: LoopInstant(milliseconds: 9_000), waiter: "2")
    let step = commands.succeeded(now: later)
    #expect(step.endings.isEmpty && step.forgotten.isEmpty)
    #expect(commands.next(now: now, timeout: .seconds(2)).map(\.kind) == [.listen])
    #expect(waiters(commands.succeeded(now: later).endings) == ["2"])
    #expect(commands.next(now: now, timeout: .seconds(2)).isEmpty)
  }

  @Test("the end of an old subscription does not forget a new one")
  func endAndBeginning() {
    var commands = Commands()
    commands.add(.unlisten, "a", deadline: later, waiter: "1")
    commands.add(.listen, "a", deadline: later, waiter: "2")
    _ = commands.next(now: now, timeout: .seconds(2))
    #expect(commands.succeeded(now: now).forgotten.isEmpty)
  }

  @Test("at the end all who wait are told")
  func end() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(now: now, timeout: .seconds(2))
    commands.add(.listen, "b", deadline: later, waiter: "2")
    #expect(waiters(commands.failAll(because: error)) == ["1 failed", "2 failed"])
  }

  @Test("a database that takes more than half of its time for a transaction gets smaller ones, and no smaller than 256")
  func slowDatabase() {
    var commands = Commands()
    for number in 0..<30_000 { commands.add(.listen, Channel("\(number)"), deadline: later, waiter: "") }
    var counts: [Int] = []
    for took in [1_000, 1_001, 1_001, 900, 1_001, 1_001, 1_001, 1_001, 1_001] as [UInt64] {
      counts.append(commands.next(now: now, timeout: .seconds(2)).count)
      _ = commands.succeeded(now: LoopInstant(milliseconds: 1_000 + took))
    }
    #expect(counts == [8_192, 8_192, 4_096, 2_048, 2_048, 1_024, 512, 256, 256])
  }

  @Test("who waits for a turn has the whole time again when the database has answered those before")
  func turns() {
    var commands = Commands()
    let last = LoopInstant(milliseconds: 5_000)
    commands.add(.listen, "a", deadline: later, waiter: "1")
    #expect(commands.next(now: now, timeout: .seconds(2)).count == 1)
    commands.add(.listen, "b", deadline: later, waiter: "2")
    #expect(commands.next(now: later, timeout: .seconds(2)).isEmpty)
    #expect(commands.nextDeadline == later)
    #expect(waiters(commands.succeeded(now: later).endings) == ["1"])
    #expect(commands.next(now: later, timeout: .seconds(2)).map(\.channel) == ["b"])
    #expect(commands.nextDeadline == last)
    #expect(commands.expire(now: later, because: error).endings.isEmpty)
    #expect(waiters(commands.expire(now: last, because: error).endings) == ["2 failed"])
  }

  @Test("without an answer who waits for a turn has no more time than who is asked for")
  func noTurn() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(now: now, timeout: .seconds(2))
    commands.add(.listen, "b", deadline: later, waiter: "2")
    #expect(waiters(commands.expire(now: later, because: error).endings) == ["1 failed", "2 failed"])
  }

  @Test("a transaction has at most 8,192")
  func limit() {
    var commands = Commands()
    for number in 0..<9_000 { commands.add(.listen, Channel("\(number)"), deadline: later, waiter: "") }
    #expect(commands.next(now: now, timeout: .seconds(2)).count == 8_192)
    _ = commands.succeeded(now: now)
    #expect(commands.next(now: now, timeout: .seconds(2)).count == 808)
  }

  @Test("smaller transactions grow again when full ones are quick, and others do not matter")
  func quickDatabase() {
    var commands = Commands()
    for number in 0..<40_000 { commands.add(.listen, Channel("\(number)"), deadline: later, waiter: "") }
    var counts: [Int] = []
    for took in [1_001, 1_001, 1_001, 300, 249, 249, 249, 249] as [UInt64] {
      counts.append(commands.next(now: now, timeout: .seconds(2)).count)
      _ = commands.succeeded(now: LoopInstant(milliseconds: 1_000 + took))
    }
    #expect(counts == [8_192, 4_096, 2_048, 1_024, 1_024, 2_048, 4_096, 8_192])
    var few = Commands()
    few.add(.listen, "a", deadline: later, waiter: "")
    _ = few.next(now: now, timeout: .seconds(2))
    _ = few.succeeded(now: later)
    few.add(.listen, "b", deadline: later, waiter: "")
    _ = few.next(now: now, timeout: .seconds(2))
    _ = few.succeeded(now: now)
    for number in 0..<9_000 { few.add(.listen, Channel("\(number)"), deadline: later, waiter: "") }
    #expect(few.next(now: now, timeout: .seconds(2)).count == 4_096)
  }

  @Test("no turns put a deadline off by more than as much time again")
  func longestWait() {
    var commands = Commands()
    for number in 0..<20_000 { commands.add(.listen, Channel("\(number)"), deadline: later, waiter: "\(number)") }
    #expect(commands.next(now: now, timeout: .seconds(2)).count == 8_192)
    _ = commands.succeeded(now: later)
    // The second has until 5 s, as the third has, which is 4 s after all were asked for.
    #expect(commands.next(now: later, timeout: .seconds(2)).count == 4_096)
    _ = commands.succeeded(now: LoopInstant(milliseconds: 4_900))
    #expect(commands.next(now: LoopInstant(milliseconds: 4_900), timeout: .seconds(2)).count == 2_048)
    #expect(commands.nextDeadline == LoopInstant(milliseconds: 5_000))
  }

  @Test("what was never sent and comes too late is not sent, but an end of listening is")
  func neverSent() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(now: now, timeout: .seconds(2))
    commands.add(.listen, "b", deadline: later, waiter: "2")
    commands.add(.unlisten, "c", deadline: later, waiter: "3")
    let step = commands.expire(now: later, because: error)
    #expect(waiters(step.endings) == ["1 failed", "2 failed", "3 failed"] && step.forgotten == ["b"])
    #expect(commands.succeeded(now: later).endings.isEmpty)
    let next = commands.next(now: later, timeout: .seconds(2))
    #expect(next.map(\.channel) == ["c", "a"] && next.allSatisfy { $0.kind == .unlisten })
    #expect(commands.succeeded(now: later).forgotten == ["c", "a"])
  }

  /// One is confirmed too late, while it is asked for again.
  private func askedAgainAfterLateConfirmation() -> Commands {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(now: now, timeout: .seconds(2))
    _ = commands.expire(now: later, because: error)
    commands.add(.listen, "a", deadline: LoopInstant(milliseconds: 5_000), waiter: "2")
    _ = commands.succeeded(now: later)
    return commands
  }

  @Test("one that was confirmed too late is taken back when it is refused the second time")
  func refusedAgain() {
    var commands = askedAgainAfterLateConfirmation()
    #expect(commands.next(now: later, timeout: .seconds(2)).map(\.kind) == [.listen])
    #expect(waiters(commands.failed(now: later, because: error).endings) == ["2 failed"])
    #expect(commands.next(now: later, timeout: .seconds(2)).map(\.kind) == [.unlisten])
    #expect(commands.succeeded(now: later).forgotten == ["a"])
    #expect(commands.next(now: later, timeout: .seconds(2)).isEmpty)
  }

  @Test("one that was confirmed too late is taken back when the second time is never sent")
  func lateAgain() {
    var commands = askedAgainAfterLateConfirmation()
    let step = commands.expire(now: LoopInstant(milliseconds: 5_000), because: error)
    #expect(waiters(step.endings) == ["2 failed"])
    #expect(commands.next(now: later, timeout: .seconds(2)).map(\.kind) == [.unlisten])
    _ = commands.succeeded(now: later)
    #expect(commands.next(now: later, timeout: .seconds(2)).isEmpty)
  }

  @Test("one that was confirmed too late stays when the second time succeeds")
  func confirmedAgain() {
    var commands = askedAgainAfterLateConfirmation()
    _ = commands.next(now: later, timeout: .seconds(2))
    #expect(waiters(commands.succeeded(now: later).endings) == ["2"])
    commands.add(.listen, "a", deadline: later, waiter: "3")
    _ = commands.next(now: later, timeout: .seconds(2))
    #expect(waiters(commands.failed(now: later, because: error).endings) == ["3 failed"])
    #expect(commands.next(now: later, timeout: .seconds(2)).isEmpty)
  }
}
