//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

@Suite("Channel state machine with a history")
struct LoadingMachineTests {
  private typealias Machine = ChannelStateMachine<String>
  private static let refused = BroadcastError(.refused, "No.")
  private static let broken = BroadcastError(.unavailable, "Broken.", isRetriable: true)

  /// One that stands, with a member.
  private func standing() -> Machine {
    var machine = Machine(loads: true)
    _ = machine.join("a")
    _ = machine.opened(number: 1, needsLoad: false) { _ in true }
    return machine
  }

  private func call(_ joining: Machine.Joining) -> Machine.Call? {
    if case .wait(let call) = joining { call } else { nil }
  }

  @Test("who can be served when the subscription stands is, and the others wait for what is read")
  func opening() {
    var machine = Machine(loads: true)
    #expect(call(machine.join("a")) == .subscribe(number: 1))
    _ = machine.join("b")
    let action = machine.opened(number: 1, needsLoad: false) { $0 == "a" }
    #expect(action.waiters == ["a"] && action.call == .load(number: 2) && !action.isGap)
    #expect(machine.begin(.load(number: 2)) == true)
    #expect(call(machine.join("c")) == nil)
    let served = machine.takeWaiters { $0 == "c" } + machine.takeWaiters { $0 == "b" }
    #expect(served == ["c", "b"])
    machine.loaded(number: 2)
    #expect(!machine.isUnderWay(.load(number: 2)) && machine.isStanding)
    #expect(machine.needLoad() == .load(number: 3))
    #expect(machine.needLoad() == nil)
  }

  @Test("a hole is read without waiters, and a renewal owes no gap")
  func renewing() {
    var machine = standing()
    _ = machine.connectionLost(Self.refused)
    #expect(machine.isGone && machine.retry().call == .subscribe(number: 2))
    #expect(machine.received() == false)
    let action = machine.opened(number: 2, needsLoad: true) { _ in true }
    #expect(action.call == .load(number: 3) && action.isResubscribed && !action.isGap)
  }

  @Test("a renewal that is refused for good is a gap at once, and one time; what may soon work is none")
  func refusing() {
    var machine = standing()
    _ = machine.connectionLost(Self.refused)
    _ = machine.retry()
    #expect(!machine.subscribeFailed(number: 2, Self.broken).isGap)
    _ = machine.retry()
    #expect(machine.subscribeFailed(number: 3, Self.refused).isGap)
    _ = machine.retry()
    #expect(!machine.subscribeFailed(number: 4, Self.refused).isGap)
    _ = machine.retry()
    #expect(!machine.opened(number: 5, needsLoad: true) { _ in true }.isGap)
    _ = machine.connectionLost(Self.refused)
    _ = machine.retry()
    #expect(machine.subscribeFailed(number: 7, Self.refused).isGap)
  }

  @Test("the last to leave unsubscribes at once, and an answer is none any more")
  func leaving() {
    var machine = standing()
    _ = machine.needLoad()
    #expect(machine.leave().call == .unsubscribe(number: 3))
    #expect(!machine.isUnderWay(.load(number: 2)))
    machine.loaded(number: 2)
    #expect(machine.unsubscribed(number: 3).isIdle)
  }

  @Test("with the subscription goes what is read for waiters, who wait for the next one")
  func losing() {
    var machine = standing()
    _ = machine.join("b")
    let action = machine.subscriptionLost(Self.refused, .brokerLoss)
    #expect(action.loss != nil && action.call == .subscribe(number: 3) && action.waiters.isEmpty)
    let renewed = machine.opened(number: 3, needsLoad: false) { _ in true }
    #expect(renewed.waiters == ["b"])
  }

  @Test("news of a lost subscription that overtake its confirmation serve nobody")
  func losingEarly() {
    var machine = Machine(loads: true)
    _ = machine.join("a")
    _ = machine.subscriptionLost(Self.refused, .brokerLoss)
    #expect(machine.earlyLoss != nil)
    let action = machine.opened(number: 1, needsLoad: false) { _ in true }
    #expect(action.waiters.isEmpty && action.loss != nil && action.call == .subscribe(number: 2))
  }

  @Test("at random, nobody waits for ever", arguments: 0..<200)
  func random(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    var machine = Machine(loads: true)
    var outstanding: Machine.Call?
    var waiting: Set<String> = []
    var members = 0
    var toLeave = 0
    var names = 0
    var isConnected = true
    func apply(_ action: Machine.Action) {
      for waiter in action.waiters {
        #expect(waiting.remove(waiter) != nil)
        if action.error != nil { toLeave += 1 }
      }
      guard let call = action.call else { return }
      // A question for the history is no hindrance.
      if let outstanding, case .load = outstanding {} else { #expect(outstanding == nil) }
      #expect(isConnected)
      outstanding = call
    }
    func answer(fails: Bool) {
      guard let call = outstanding else { return }
      outstanding = nil
      guard machine.begin(call) else { return }
      let mayServe = Bool.random(using: &random)
      switch call {
      case .subscribe(let number):
        apply(
          fails
            ? machine.subscribeFailed(number: number, Self.refused)
            : machine.opened(number: number, needsLoad: !mayServe) { _ in mayServe })
      case .catchUp: Issue.record("nobody catches up with a history")
      case .unsubscribe(let number): apply(machine.unsubscribed(number: number))
      case .load(let number):
        apply(Machine.Action(waiters: machine.takeWaiters { _ in true }, error: fails ? Self.refused : nil))
        machine.loaded(number: number)
      }
    }
    func leaveFailed() {
      while toLeave > 0 {
        toLeave -= 1
        members -= 1
        apply(machine.leave())
      }
    }
    for _ in 0..<300 {
      switch Int.random(in: 0..<11, using: &random) {
      case 0...1:
        names += 1
        members += 1
        if machine.isStanding, Bool.random(using: &random) {
          machine.joinServed()
        } else if case .wait(let call) = machine.join("\(names)", isConnected: isConnected) {
          waiting.insert("\(names)")
          if let call { apply(.init(call: call)) }
        } else {
          Issue.record("ready")
        }
      case 2 where members - waiting.count - toLeave > 0:
        members -= 1
        apply(machine.leave())
      case 3:
        guard let name = waiting.randomElement(using: &random) else { continue }
        waiting.remove(name)
        machine.forget { $0 == name }
        members -= 1
        apply(machine.leave())
      case 4: answer(fails: true)
      case 5: answer(fails: false)
      case 6 where isConnected:
        isConnected = false
        outstanding = nil
        apply(machine.connectionLost(Self.refused))
        #expect(waiting.isEmpty)
      case 7 where !isConnected:
        isConnected = true
        apply(machine.retry())
      case 8 where isConnected: apply(machine.subscriptionLost(Self.refused, .brokerLoss))
      case 9 where isConnected: apply(machine.retry())
      case 10 where isConnected: if let call = machine.needLoad() { apply(.init(call: call)) }
      default: leaveFailed()
      }
    }
    leaveFailed()
    isConnected = true
    apply(machine.retry())
    while outstanding != nil { answer(fails: false) }
    apply(machine.retry())
    while outstanding != nil { answer(fails: false) }
    #expect(waiting.isEmpty)
    for _ in 0..<members { apply(machine.leave()) }
    while outstanding != nil { answer(fails: false) }
    #expect(machine.isIdle)
  }
}
