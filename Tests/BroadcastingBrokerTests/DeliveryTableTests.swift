//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting
@testable import BroadcastingBroker
@testable import BroadcastingNetwork

@Suite("Calls of publish that wait for reports in any order", .timeLimit(.minutes(1)))
struct DeliveryTableTests {
  private typealias Token = DeliveryTable.Token
  private let no = BroadcastError(.refused, "no")
  private let late = BroadcastError(.timedOut, "late", isRetriable: true)
  private let lost = BroadcastError(.unavailable, "lost", isRetriable: true)

  private func at(_ milliseconds: UInt64) -> LoopInstant { LoopInstant(milliseconds: milliseconds) }

  /// The tokens of calls, and the calls that have none yet.
  private struct Tokens {
    var all: [Token] = []
    var calls: [PublishCall]

    subscript(index: Int) -> Token { all[index] }
    func map<Result>(_ transform: (Token) -> Result) -> [Result] { all.map(transform) }

    mutating func add(to table: inout DeliveryTable, _ deadline: LoopInstant) {
      all.append(table.add(calls.removeFirst(), deadline: deadline))
    }
  }

  /// What became of calls: nil for one that succeeded. Those which `body` leaves open end with the session.
  private func outcomes(
    of calls: [[String]], added: Int = .max, deadline: (Int) -> UInt64 = { _ in 1000 },
    _ body: (inout DeliveryTable, inout Tokens) -> Void
  ) async -> [String?] {
    await outcomesOfPublishing(calls) { taken in
      var table = DeliveryTable()
      var tokens = Tokens(calls: taken)
      taken = []
      for index in calls.indices.prefix(added) { tokens.add(to: &table, at(deadline(index))) }
      body(&table, &tokens)
      table.fail(because: BroadcastError(.unavailable, "left"))
    }
  }

  /// Has the library take messages of a call, all by default. Returns their texts.
  @discardableResult
  private func produce(_ table: inout DeliveryTable, _ token: Token, _ limit: Int = .max) -> String? {
    guard let taken = table.messages(of: token)?.prefix(limit) else { return nil }
    table.produced(token, taken.count)
    return taken.compactMap(\.text).joined(separator: " ")
  }

  @Test("reports come in any order, and a call ends with the last of its own")
  func order() async {
    let ends = await outcomes(of: [["1"], ["2", "3"], ["4"]]) { table, tokens in
      #expect(tokens.map { produce(&table, $0) } == ["1", "2 3", "4"])
      #expect(table.waitingCalls == 3)
      table.settle(tokens[2], .delivered)
      table.settle(tokens[1], .delivered)
      #expect(table.waitingCalls == 2)
      table.settle(tokens[0], .delivered)
      #expect(table.nextDeadline == at(1000))
      table.settle(tokens[1], .delivered)
      #expect(table.waitingCalls == 0 && table.nextDeadline == nil)
    }
    #expect(ends == [nil, nil, nil])
  }

  @Test("a failure fails its call, which was not sent only where nothing of it can have arrived")
  func failures() async {
    let calls = [["1"], ["2"], ["3", "4"], ["5", "6"], ["7", "8"]]
    var unclear = no
    unclear.outcome = .unconfirmed
    let ends = await outcomes(of: calls) { [unclear] table, tokens in
      for token in tokens.all { produce(&table, token) }
      // What counts is which outcome it is.
      table.settle(tokens[0], .notSent(unclear))
      table.settle(tokens[1], .unconfirmed(lost))
      table.settle(tokens[2], .notSent(no))
      table.settle(tokens[2], .notSent(lost))
      table.settle(tokens[3], .notSent(no))
      table.settle(tokens[3], .delivered)
      table.settle(tokens[4], .notSent(no))
      table.settle(tokens[4], .unconfirmed(lost))
    }
    #expect(ends == ["no notSent", "lost unconfirmed", "no notSent", "no unconfirmed", "no unconfirmed"])
  }

  @Test("a call without messages succeeds at once, and its token means nothing")
  func empty() async {
    let ends = await outcomes(of: [[]]) { table, tokens in
      #expect(tokens[0] != 0)
      #expect(table.messages(of: tokens[0]) == nil)
      #expect(table.waitingCalls == 0 && table.nextDeadline == nil)
    }
    #expect(ends == [nil])
  }

  @Test("a library that takes a part gets the others later")
  func parts() async {
    let ends = await outcomes(of: [["1", "2", "3"]]) { table, tokens in
      #expect(produce(&table, tokens[0], 2) == "1 2")
      table.settle(tokens[0], .delivered)
      table.settle(tokens[0], .delivered)
      // More reports than messages that it has.
      table.settle(tokens[0], .delivered)
      #expect(table.waitingCalls == 1)
      #expect(produce(&table, tokens[0]) == "3")
      #expect(table.messages(of: tokens[0])?.isEmpty == true)
      table.settle(tokens[0], .delivered)
    }
    #expect(ends == [nil])
  }

  @Test("a call that the library does not take ends at once, or with the reports of what it took")
  func refused() async {
    let ends = await outcomes(of: [["1", "2"], ["3", "4"], ["5", "6"]]) { table, tokens in
      table.refused(tokens[0], because: no)
      #expect(table.messages(of: tokens[0]) == nil && table.waitingCalls == 2)
      for (token, outcome) in [(tokens[1], DeliveryTable.Outcome.delivered), (tokens[2], .notSent(lost))] {
        produce(&table, token, 1)
        table.refused(token, because: no)
        #expect(table.messages(of: token)?.isEmpty == true)
        table.settle(token, outcome)
      }
      #expect(table.waitingCalls == 0)
    }
    #expect(ends == ["no notSent", "no unconfirmed", "no notSent"])
  }

  @Test("a deadline tells whether a message is on its way, and what comes later is nobody's")
  func deadlines() async {
    let calls = [["1"], ["2", "3"], ["4"], ["5", "6"], ["7"]]
    let ends = await outcomes(of: calls, deadline: { $0 < 4 ? 1000 : 2000 }) { table, tokens in
      produce(&table, tokens[0])
      produce(&table, tokens[1], 1)
      produce(&table, tokens[3])
      table.settle(tokens[3], .notSent(no))
      table.expire(now: at(999), because: late)
      #expect(table.waitingCalls == 5)
      table.expire(now: at(1000), because: late)
      #expect(table.waitingCalls == 1 && table.nextDeadline == at(2000))
      #expect(tokens.map { table.messages(of: $0) == nil } == [true, true, true, true, false])
      for token in tokens.all.dropLast() {
        table.settle(token, .delivered)
        table.produced(token, 1)
        table.refused(token, because: no)
      }
      produce(&table, tokens[4])
      table.settle(tokens[4], .delivered)
    }
    #expect(ends == ["late unconfirmed", "late unconfirmed", "late notSent", "no unconfirmed", nil])
  }

  @Test("deadlines count in their order, whatever the order of the calls")
  func deadlineOrder() async {
    let deadlines: [UInt64] = [300, 100, 200, 100, 400]
    let ends = await outcomes(of: deadlines.map { ["\($0)"] }, deadline: { deadlines[$0] }) { table, tokens in
      #expect(table.nextDeadline == at(100))
      table.expire(now: at(200), because: late)
      #expect(table.waitingCalls == 2 && table.nextDeadline == at(300))
      produce(&table, tokens[0])
      table.settle(tokens[0], .delivered)
      #expect(table.nextDeadline == at(400))
    }
    #expect(ends == [nil, "late notSent", "late notSent", "late notSent", "left notSent"])
  }

  @Test("a library that begins anew leaves open what it had and had not reported; the others go on")
  func generations() async {
    let ends = await outcomes(of: [["1"], ["2"], ["3", "4"], ["5", "6"], ["7", "8"]]) { table, tokens in
      produce(&table, tokens[0])
      produce(&table, tokens[2])
      table.settle(tokens[2], .notSent(no))
      produce(&table, tokens[3], 1)
      table.settle(tokens[3], .delivered)
      produce(&table, tokens[4], 1)
      table.nextGeneration(because: lost)
      #expect(tokens.map { produce(&table, $0) } == [nil, "2", nil, "6", nil])
      // Late reports of the one before.
      for token in [tokens[0], tokens[2], tokens[4]] { table.settle(token, .delivered) }
      for token in [tokens[1], tokens[3]] { table.settle(token, .delivered) }
      #expect(table.waitingCalls == 0)
    }
    #expect(ends == ["lost unconfirmed", nil, "no unconfirmed", nil, "lost unconfirmed"])
  }

  @Test("the end of the session ends all calls, and says what was on its way")
  func end() async {
    let ends = await outcomes(of: [["1"], ["2"], ["3"]]) { table, tokens in
      produce(&table, tokens[0])
      produce(&table, tokens[1])
      table.settle(tokens[1], .delivered)
      table.fail(because: lost)
      #expect(table.waitingCalls == 0 && table.nextDeadline == nil)
      table.settle(tokens[0], .delivered)
      #expect(table.messages(of: tokens[2]) == nil)
    }
    #expect(ends == ["lost unconfirmed", nil, "lost notSent"])
  }

  @Test("a place is taken again, and the token that had it before is known as such")
  func reuse() async {
    let ends = await outcomes(of: [["1"], ["2"], ["3"]], added: 1) { table, tokens in
      produce(&table, tokens[0])
      table.expire(now: at(1000), because: late)
      tokens.add(to: &table, at(2000))
      #expect(UInt32(truncatingIfNeeded: tokens[0]) == UInt32(truncatingIfNeeded: tokens[1]))
      produce(&table, tokens[1])
      table.settle(tokens[0], .delivered)
      #expect(table.waitingCalls == 1)
      table.settle(tokens[1], .notSent(no))
      table.fail(because: lost)
      tokens.add(to: &table, at(2000))
      #expect(Set(tokens.all).count == 3)
      table.settle(tokens[1], .delivered)
      produce(&table, tokens[2])
      table.settle(tokens[2], .delivered)
    }
    #expect(ends == ["late unconfirmed", "no notSent", nil])
  }

  @Test("a message is let go of when its call has ended")
  func memory() async {
    weak var settled: Message.Storage?
    weak var expired: Message.Storage?
    let ends = await outcomes(of: [["1"], ["2"], ["3"]], deadline: { $0 < 2 ? 1000 : 2000 }) { table, tokens in
      settled = table.messages(of: tokens[0])?.first?.storage
      expired = table.messages(of: tokens[1])?.first?.storage
      for token in tokens.all { produce(&table, token) }
      table.settle(tokens[0], .delivered)
      table.expire(now: at(1000), because: late)
    }
    #expect(ends == [nil, "late unconfirmed", "left unconfirmed"])
    #expect(settled == nil)
    #expect(expired == nil)
  }

  @Test("at random, each caller is told once and what is true", arguments: 0..<20)
  func random(seed: Int) async {
    var random = SeededGenerator(seed: UInt64(seed))
    let sizes = (0..<300).map { _ in Int.random(in: 0...3, using: &random) }
    var results: [String?] = sizes.map { _ in nil }
    let ends = await outcomes(of: sizes.map { [String](repeating: "x", count: $0) }) { table, tokens in
      var state = sizes.map { (left: $0, flying: 0, arrived: false, failed: false) }
      func conclude(_ index: Int, _ reason: String) {
        let call = state[index]
        let outcome = call.arrived || call.flying > 0 ? "unconfirmed" : "notSent"
        results[index] = "\(call.failed ? "no" : reason) \(outcome)"
        state[index].left = -1
      }
      for _ in 0..<3_000 {
        let index = Int.random(in: 0..<sizes.count, using: &random)
        guard state[index].left + state[index].flying > 0 else {
          #expect(table.messages(of: tokens[index]) == nil)
          table.settle(tokens[index], .delivered)
          continue
        }
        if Bool.random(using: &random) {
          let count = Int.random(in: 0...state[index].left, using: &random)
          produce(&table, tokens[index], count)
          state[index].left -= count
          state[index].flying += count
        } else if state[index].flying > 0 {
          let fails = Int.random(in: 0..<4, using: &random) == 0
          table.settle(tokens[index], fails ? .notSent(no) : .delivered)
          state[index].flying -= 1
          if fails { state[index].failed = true } else { state[index].arrived = true }
          if state[index].left + state[index].flying == 0, state[index].failed { conclude(index, "") }
        }
        if Int.random(in: 0..<600, using: &random) == 0 {
          table.nextGeneration(because: lost)
          for index in sizes.indices where state[index].left >= 0 && state[index].flying > 0 {
            conclude(index, "lost")
            state[index].flying = 0
            state[index].left = 0
          }
        }
      }
      for index in sizes.indices where state[index].left >= 0 && state[index].left + state[index].flying > 0 {
        conclude(index, "left")
      }
    }
    #expect(ends == results)
  }
}
