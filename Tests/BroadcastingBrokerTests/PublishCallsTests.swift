//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting
@testable import BroadcastingBroker
@testable import BroadcastingNetwork

@Suite("Calls of publish on their way to a broker", .timeLimit(.minutes(1)))
struct PublishCallsTests {
  private let no = BroadcastError(.refused, "no")
  private let late = BroadcastError(.timedOut, "late", isRetriable: true)
  private let lost = BroadcastError(.unavailable, "lost", isRetriable: true)

  private func at(_ milliseconds: UInt64) -> LoopInstant { LoopInstant(milliseconds: milliseconds) }

  /// What became of calls: nil for one that succeeded. Those which `body` leaves open end with the session.
  private func outcomes(
    of calls: [[String]], deadline: (Int) -> UInt64 = { _ in 1000 }, _ body: (inout PublishCalls) -> Void
  ) async -> [String?] {
    await outcomesOfPublishing(calls) { taken in
      var machine = PublishCalls()
      for index in calls.indices {
        machine.append([taken.removeFirst()], deadline: LoopInstant(milliseconds: deadline(index)))
      }
      body(&machine)
      machine.fail(because: BroadcastError(.unavailable, "left"))
    }
  }

  /// Sends up to so many messages, and gives back their texts.
  @discardableResult
  private func send(_ calls: inout PublishCalls, _ limit: Int = .max) -> String {
    var sent: [String] = []
    calls.sendEach { message in
      guard sent.count < limit else { return false }
      sent.append(message.text ?? "")
      return true
    }
    return sent.joined(separator: " ")
  }

  @Test("messages are sent in their order, as many as there is room for, and each once")
  func order() async {
    let ends = await outcomes(of: [["1"], ["2", "3", "4"], ["5"]]) { calls in
      #expect(send(&calls, 3) == "1 2 3")
      #expect(calls.hasUnsent)
      #expect(calls.unansweredMessages == 3)
      calls.accepted(2)
      #expect(send(&calls) == "4 5")
      #expect(!calls.hasUnsent)
      #expect(send(&calls) == "")
      calls.accepted(3)
      #expect(calls.unansweredMessages == 0)
      #expect(calls.nextDeadline == nil)
    }
    #expect(ends == [nil, nil, nil])
  }

  @Test("where one message of a call has a position, there is a receipt for each")
  func positions() async {
    let ends = await outcomes(of: [["1", "2", "3"], ["4"], ["5", "6"], ["7", "8"], ["9"]]) { calls in
      send(&calls)
      calls.accepted(1)
      calls.accepted(at: MessagePosition(epoch: 7, offset: 1))
      calls.accepted(1)
      calls.accepted(1)
      calls.accepted(at: MessagePosition(epoch: 7, offset: 2))
      calls.accepted(at: MessagePosition(epoch: 7, offset: 3))
      calls.accepted(at: MessagePosition(epoch: 7, offset: 4))
      calls.refused(no)
      calls.accepted(at: MessagePosition(epoch: 8, offset: 1))
      #expect(calls.unansweredMessages == 0)
      calls.accepted(at: MessagePosition(epoch: 9, offset: 1))
    }
    #expect(ends == ["- 7-1 -", nil, "7-2 7-3", "no unconfirmed", "8-1"])
  }

  @Test("a call ends with the last of its messages")
  func wholeCalls() async {
    let ends = await outcomes(of: [["1", "2"], ["3", "4"]]) { calls in
      send(&calls)
      calls.accepted(3)
    }
    #expect(ends == [nil, "left unconfirmed"])
  }

  @Test("a call without messages succeeds at once")
  func empty() async {
    let ends = await outcomes(of: [[], ["1"]]) { calls in
      send(&calls)
      calls.accepted(1)
    }
    #expect(ends == [nil, nil])
  }

  @Test("a refusal ends its own call alone; where others of the call got through, that stays open")
  func refusals() async {
    let ends = await outcomes(of: [["1"], ["2"], ["3", "4"], ["5"]]) { calls in
      send(&calls)
      calls.accepted(1)
      calls.refused(no)
      calls.accepted(1)
      calls.refused(no)
      calls.accepted(1)
    }
    #expect(ends == [nil, "no notSent", "no unconfirmed", nil])
  }

  @Test("a call of which every message was refused was not sent")
  func refusedAsAWhole() async {
    let ends = await outcomes(of: [["1", "2"], ["3", "4"]], deadline: { $0 < 1 ? 1000 : 500 }) { calls in
      send(&calls, 3)
      for _ in 0..<3 { calls.refused(no) }
    }
    // What was left of the second is not on its way.
    #expect(ends == ["no notSent", "no notSent"])
  }

  @Test("answers to nothing are ignored")
  func surplus() async {
    let ends = await outcomes(of: [["1"]]) { calls in
      calls.accepted(1)
      calls.refused(no)
      send(&calls)
      calls.accepted(5)
      calls.refused(no)
    }
    #expect(ends == [nil])
  }

  @Test("a deadline tells whether anything was sent, and what was not never is")
  func deadlines() async {
    let ends = await outcomes(of: [["1"], ["2", "3"], ["4"], ["5"]], deadline: { $0 < 3 ? 1000 : 2000 }) { calls in
      #expect(calls.nextDeadline == at(1000))
      send(&calls, 2)
      calls.expire(now: at(999), because: late)
      calls.expire(now: at(1000), because: late)
      #expect(calls.nextDeadline == at(2000))
      #expect(send(&calls) == "5")
      // The answers to 1 and 2 still come, and are nobody's.
      calls.accepted(2)
      #expect(calls.unansweredMessages == 1)
      calls.accepted(1)
      #expect(calls.nextDeadline == nil)
    }
    #expect(ends == ["late unconfirmed", "late unconfirmed", "late notSent", nil])
  }

  @Test("a refusal that came before the deadline is what its call is told")
  func refusedAndLate() async {
    let ends = await outcomes(of: [["1", "2"]]) { calls in
      send(&calls)
      calls.refused(no)
      calls.expire(now: at(1000), because: late)
      calls.accepted(1)
    }
    #expect(ends == ["no unconfirmed"])
  }

  @Test("what is taken back is sent once more, but not for a caller who has gone")
  func takenBack() async {
    let ends = await outcomes(of: [["1"], ["2", "3"], ["4"]], deadline: { $0 < 1 ? 1000 : 2000 }) { calls in
      send(&calls, 3)
      calls.expire(now: at(1000), because: late)
      calls.takeBack()
      #expect(calls.unansweredMessages == 0)
      #expect(send(&calls) == "2 3 4")
      calls.accepted(1)
      calls.takeBack()
      #expect(send(&calls) == "3 4")
      calls.accepted(2)
    }
    #expect(ends == ["late unconfirmed", nil, nil])
  }

  @Test("the end of run() leaves open what became of a message that was sent")
  func endOfRun() async {
    let ends = await outcomes(of: [["1"], ["2"]], deadline: { _ in 1000 }) { calls in
      send(&calls, 1)
      calls.fail(because: .ended)
    }
    #expect(ends.map { $0?.contains("unconfirmed") } == [true, false])
  }

  @Test("the end of the session ends all calls, and says what was sent")
  func end() async {
    let ends = await outcomes(of: [["1"], ["2"], ["3"]], deadline: { $0 < 1 ? 1000 : 2000 }) { calls in
      send(&calls, 2)
      calls.expire(now: at(1000), because: late)
      calls.fail(because: lost)
      #expect(!calls.hasUnsent)
      #expect(calls.unansweredMessages == 0)
    }
    #expect(ends == ["late unconfirmed", "lost unconfirmed", "lost notSent"])
  }

  @Test("a message is let go of when its call has ended, also while others wait behind it")
  func memory() async {
    weak var answered: Message.Storage?
    weak var expired: Message.Storage?
    let ends = await outcomes(of: [["1"], ["2"], ["3"]], deadline: { $0 < 2 ? 1000 : 2000 }) { calls in
      var seen: [Message] = []
      calls.sendEach { message in
        seen.append(message)
        return true
      }
      (answered, expired) = (seen[0].storage, seen[1].storage)
      calls.accepted(1)
      calls.expire(now: at(1000), because: late)
      seen = []
    }
    #expect(ends == [nil, "late unconfirmed", "left unconfirmed"])
    #expect(answered == nil)
    #expect(expired == nil)
  }

  @Test("many calls that never run dry keep their order")
  func many() async {
    let texts = (0..<3000).map { ["\($0)"] }
    let ends = await outcomes(of: texts) { calls in
      var sent: [String] = []
      while sent.count < texts.count {
        sent += send(&calls, 7).split(separator: " ").map(String.init)
        calls.accepted(calls.unansweredMessages - 1)
      }
      #expect(sent == texts.flatMap { $0 })
      calls.refused(no)
    }
    #expect(ends.dropLast().allSatisfy { $0 == nil })
    #expect(ends.last == "no notSent")
  }
}
