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
    #expect(commands.next(deadline: now).map(\.channel) == ["a", "b"])
    commands.add(.unlisten, "a", deadline: later, waiter: "3")
    #expect(commands.next(deadline: now).isEmpty)
    #expect(waiters(commands.succeeded(now: now).endings) == ["1", "2"])
    #expect(commands.next(deadline: now).map(\.channel) == ["a"])
    let step = commands.succeeded(now: now)
    #expect(waiters(step.endings) == ["3"] && step.forgotten == ["a"])
    #expect(commands.next(deadline: now).isEmpty && commands.nextDeadline == nil)
  }

  @Test("where some fail they go by halves, and only the guilty one fails")
  func halves() {
    var commands = Commands()
    for name in ["a", "bad", "c"] { commands.add(.listen, Channel(name), deadline: later, waiter: name) }
    #expect(commands.next(deadline: now).count == 3)
    #expect(waiters(commands.failed(because: error).endings).isEmpty)
    #expect(commands.next(deadline: now).map(\.channel) == ["a", "bad"])
    #expect(waiters(commands.failed(because: error).endings).isEmpty)
    #expect(commands.next(deadline: now).map(\.channel) == ["a"])
    #expect(waiters(commands.succeeded(now: now).endings) == ["a"])
    #expect(commands.next(deadline: now).map(\.channel) == ["bad"])
    let step = commands.failed(because: error)
    #expect(waiters(step.endings) == ["bad failed"] && step.forgotten == ["bad"])
    #expect(commands.next(deadline: now).map(\.channel) == ["c"])
    #expect(waiters(commands.succeeded(now: now).endings) == ["c"])
  }

  @Test("one at fault among 512 costs some twenty statements, and the others keep their order")
  func few() {
    var commands = Commands()
    let names = (0..<512).map { "\($0)" }
    for name in names { commands.add(.listen, Channel(name), deadline: later, waiter: name) }
    var statements = 0
    var ended: [String] = []
    while case let next = commands.next(deadline: now), !next.isEmpty {
      statements += 1
      let isRefused = next.contains { $0.channel == "300" }
      ended += waiters((isRefused ? commands.failed(because: error) : commands.succeeded(now: now)).endings)
    }
    #expect(statements <= 20)
    #expect(ended == names.map { $0 == "300" ? "300 failed" : $0 })
  }

  @Test("a confirmation that comes too late is taken back")
  func lateConfirmation() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(deadline: now)
    #expect(commands.nextDeadline == later)
    #expect(waiters(commands.expire(now: now, because: error)).isEmpty)
    #expect(waiters(commands.expire(now: later, because: error)) == ["1 failed"])
    #expect(commands.nextDeadline == nil)
    #expect(waiters(commands.succeeded(now: later).endings).isEmpty)
    let next = commands.next(deadline: now)
    #expect(next.map(\.channel) == ["a"] && next.first?.kind == .unlisten)
    #expect(commands.succeeded(now: later).forgotten == ["a"])
    #expect(commands.next(deadline: now).isEmpty)
  }

  @Test("one that comes too late stays where it was asked for again")
  func askedAgain() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(deadline: now)
    _ = commands.expire(now: later, because: error)
    commands.add(.listen, "a", deadline: LoopInstant(milliseconds: 9_000), waiter: "2")
    let step = commands.succeeded(now: later)
    #expect(step.endings.isEmpty && step.forgotten.isEmpty)
    #expect(commands.next(deadline: now).map(\.kind) == [.listen])
    #expect(waiters(commands.succeeded(now: later).endings) == ["2"])
    #expect(commands.next(deadline: now).isEmpty)
  }

  @Test("the end of an old subscription does not forget a new one")
  func endAndBeginning() {
    var commands = Commands()
    commands.add(.unlisten, "a", deadline: later, waiter: "1")
    commands.add(.listen, "a", deadline: later, waiter: "2")
    _ = commands.next(deadline: now)
    #expect(commands.succeeded(now: now).forgotten.isEmpty)
  }

  @Test("at the end all who wait are told")
  func end() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(deadline: now)
    commands.add(.listen, "b", deadline: later, waiter: "2")
    #expect(waiters(commands.failAll(because: error)) == ["1 failed", "2 failed"])
  }

  @Test("who waits for a turn has the whole time again when the database has answered those before")
  func turns() {
    var commands = Commands()
    let last = LoopInstant(milliseconds: 5_000)
    commands.add(.listen, "a", deadline: later, waiter: "1")
    #expect(commands.next(deadline: later).count == 1)
    commands.add(.listen, "b", deadline: later, waiter: "2")
    #expect(commands.next(deadline: last).isEmpty)
    #expect(commands.nextDeadline == later)
    #expect(waiters(commands.succeeded(now: later).endings) == ["1"])
    #expect(commands.next(deadline: last).map(\.channel) == ["b"])
    #expect(commands.nextDeadline == last)
    #expect(commands.expire(now: later, because: error).isEmpty)
    #expect(waiters(commands.expire(now: last, because: error)) == ["2 failed"])
  }

  @Test("without an answer who waits for a turn has no more time than who is asked for")
  func noTurn() {
    var commands = Commands()
    commands.add(.listen, "a", deadline: later, waiter: "1")
    _ = commands.next(deadline: later)
    commands.add(.listen, "b", deadline: later, waiter: "2")
    #expect(waiters(commands.expire(now: later, because: error)) == ["1 failed", "2 failed"])
  }

  @Test("a transaction has at most 4,096")
  func limit() {
    var commands = Commands()
    for number in 0..<5_000 { commands.add(.listen, Channel("\(number)"), deadline: later, waiter: "") }
    #expect(commands.next(deadline: now).count == 4_096)
    _ = commands.succeeded(now: now)
    #expect(commands.next(deadline: now).count == 904)
  }
}
