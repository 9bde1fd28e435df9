//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

@Suite("Channel state machine")
struct ChannelStateMachineTests {
  private typealias Machine = ChannelStateMachine<String>
  private static let refused = BroadcastError(.refused, "No.")

  private func call(_ joining: Machine.Joining) -> Machine.Call? {
    if case .wait(let call) = joining { call } else { nil }
  }

  private func isReady(_ joining: Machine.Joining) -> Bool { if case .ready = joining { true } else { false } }

  @Test("two first subscribers share one call, and both learn of its success")
  func twoFirst() {
    var machine = Machine()
    #expect(call(machine.join("a")) == .subscribe(number: 1))
    #expect(call(machine.join("b")) == nil)
    let action = machine.subscribed(number: 1)
    #expect(action.waiters == ["a", "b"] && action.error == nil && action.call == nil && !action.isGap)
    #expect(isReady(machine.join("c")))
  }

  @Test("a failed call fails its waiters, and the next one calls again")
  func failing() {
    var machine = Machine()
    _ = machine.join("a")
    let action = machine.subscribeFailed(number: 1, Self.refused)
    #expect(action.waiters == ["a"] && action.error?.code == .refused && action.loss == nil)
    #expect(machine.leave().isIdle)
    #expect(call(machine.join("b")) == .subscribe(number: 2))
  }

  @Test("the last to leave unsubscribes; who comes meanwhile waits for a new subscription")
  func leavingAndComing() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    #expect(machine.leave().call == .unsubscribe(number: 2))
    #expect(call(machine.join("b")) == nil)
    #expect(machine.unsubscribed(number: 2).call == .subscribe(number: 3))
    #expect(machine.subscribed(number: 3).waiters == ["b"])
  }

  @Test("a waiter who gives up does not stop the call for the others")
  func givingUp() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.join("b")
    machine.forget { $0 == "a" }
    #expect(machine.leave().call == nil)
    #expect(machine.subscribed(number: 1).waiters == ["b"])
  }

  @Test("when all have given up, the late success is undone")
  func allGivingUp() {
    var machine = Machine()
    _ = machine.join("a")
    machine.forget { _ in true }
    #expect(!machine.leave().isIdle)
    #expect(!machine.isIdle)
    #expect(machine.subscribed(number: 1).call == .unsubscribe(number: 2))
    #expect(machine.unsubscribed(number: 2).isIdle)
    #expect(machine.isIdle)
  }

  @Test("a lost connection is followed by a new subscription and one gap")
  func losing() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    #expect(machine.connectionLost(Self.refused).waiters.isEmpty)
    #expect(machine.retry().call == .subscribe(number: 2))
    let action = machine.subscribed(number: 2)
    #expect(action.isGap && action.isResubscribed)
    #expect(machine.received() == false)
  }

  @Test("a message that overtakes the confirmation has the gap before it")
  func overtaking() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    _ = machine.connectionLost(Self.refused)
    _ = machine.retry()
    #expect(machine.received() == true)
    #expect(machine.received() == false)
    #expect(!machine.subscribed(number: 2).isGap)
  }

  @Test("answers from before a lost connection are ignored")
  func lateAnswers() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.join("b")
    let lost = machine.connectionLost(Self.refused)
    #expect(lost.waiters == ["a", "b"] && lost.error != nil)
    _ = machine.leave()
    #expect(machine.retry().call == .subscribe(number: 2))
    #expect(machine.subscribed(number: 1).waiters.isEmpty)
    #expect(machine.subscribeFailed(number: 1, Self.refused).error == nil)
    #expect(machine.unsubscribed(number: 1).call == nil)
    let begins = [1, 2].map { machine.begin(.subscribe(number: $0)) }
    #expect(begins == [false, true])
  }

  @Test("a refused renewal keeps its members, tells them of the gap once, and again with its success")
  func refusedRenewal() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    _ = machine.connectionLost(Self.refused)
    _ = machine.retry()
    let action = machine.subscribeFailed(number: 2, Self.refused)
    #expect(action.loss != nil && action.waiters.isEmpty && action.isGap)
    #expect(machine.retry().call == .subscribe(number: 3))
    let second = machine.subscribeFailed(number: 3, Self.refused)
    #expect(second.loss != nil && !second.isGap)
    _ = machine.connectionLost(Self.refused)
    _ = machine.retry()
    #expect(!machine.subscribeFailed(number: 4, Self.refused).isGap)
    _ = machine.retry()
    #expect(machine.subscribed(number: 5).isGap)
    _ = machine.connectionLost(Self.refused)
    _ = machine.retry()
    #expect(machine.subscribeFailed(number: 6, Self.refused).isGap)
  }

  @Test("a gap that a message has paid is owed again by the next renewal, and told again when that is refused")
  func paidGap() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    _ = machine.connectionLost(Self.refused)
    _ = machine.retry()
    #expect(machine.received() == true)
    // The connection goes again before the broker has confirmed.
    _ = machine.connectionLost(Self.refused)
    _ = machine.retry()
    #expect(machine.subscribeFailed(number: 3, Self.refused).isGap)
    #expect(machine.received() == true)
    _ = machine.retry()
    #expect(machine.subscribeFailed(number: 4, Self.refused).isGap)
    _ = machine.retry()
    #expect(machine.subscribed(number: 5).isGap)
  }

  @Test("a first subscription that fails is no renewal, although who failed before has not left yet")
  func failingBesideFailed() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribeFailed(number: 1, Self.refused)
    _ = machine.join("b")
    let action = machine.subscribeFailed(number: 2, Self.refused)
    #expect(action.waiters == ["b"] && action.loss == nil && !action.isGap)
    #expect(!machine.leave().isIdle)
    #expect(machine.leave().isIdle)
  }

  @Test("who comes first while there is no connection asks for nothing before there is one")
  func joiningWithoutConnection() {
    var machine = Machine()
    #expect(call(machine.join("a", isConnected: false)) == nil)
    #expect(call(machine.join("b", isConnected: false)) == nil)
    #expect(machine.retry().call == .subscribe(number: 1))
    let action = machine.subscribed(number: 1)
    #expect(action.waiters == ["a", "b"] && !action.isGap && !action.isResubscribed)
  }

  @Test("a subscription that the broker ended is renewed, with one gap that says why")
  func subscriptionLost() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    let lost = machine.subscriptionLost(Self.refused, .brokerLoss)
    #expect(lost.loss != nil && lost.call == nil && !lost.isGap)
    #expect(machine.subscriptionLost(Self.refused, .brokerLoss).loss == nil)
    #expect(machine.retry().call == .subscribe(number: 2))
    let action = machine.subscribed(number: 2)
    #expect(action.isGap && action.isResubscribed && action.loss == nil)
    #expect(machine.gapReason == .brokerLoss)
    _ = machine.connectionLost(Self.refused)
    #expect(machine.gapReason == .connectionLost)
  }

  @Test("that a subscription has ended may be heard before that it stood")
  func subscriptionLostEarly() {
    var machine = Machine()
    _ = machine.join("a")
    #expect(machine.subscriptionLost(Self.refused, .connectionLost).loss == nil)
    let action = machine.subscribed(number: 1)
    #expect(action.waiters == ["a"] && action.error == nil && action.loss != nil && !action.isGap)
    #expect(machine.retry().call == .subscribe(number: 2))
    let again = machine.subscribed(number: 2)
    #expect(again.isGap && again.loss == nil)
  }

  @Test("who comes to a lost subscription asks for it at once, and pays nobody's gap")
  func joiningLostSubscription() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    _ = machine.subscriptionLost(Self.refused, .connectionLost)
    #expect(call(machine.join("b", isConnected: false)) == nil)
    #expect(call(machine.join("c")) == .subscribe(number: 2))
    #expect(machine.retry().call == nil)
    let failed = machine.subscribeFailed(number: 2, Self.refused)
    #expect(failed.waiters == ["b", "c"] && failed.error?.code == .refused && failed.loss != nil && failed.isGap)
    #expect(!machine.leave().isIdle && !machine.leave().isIdle)
    #expect(machine.retry().call == .subscribe(number: 3))
    #expect(machine.subscribed(number: 3).isGap)
  }

  @Test("nobody is told of a lost subscription that nobody wants any more")
  func losingUnwanted() {
    var machine = Machine()
    #expect(machine.subscriptionLost(Self.refused, .connectionLost).loss == nil)
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    _ = machine.leave()
    #expect(machine.subscriptionLost(Self.refused, .connectionLost).loss == nil)
    #expect(machine.unsubscribed(number: 2).isIdle)
  }

  @Test("who leaves while the connection is lost leaves nothing behind")
  func leavingWhileLost() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    _ = machine.connectionLost(Self.refused)
    #expect(machine.leave().isIdle)
    #expect(machine.retry().call == nil)
    _ = machine.join("b")
    #expect(!machine.subscribed(number: 2).isGap)
  }

  @Test("a connection lost while unsubscribing ends there, unless somebody came")
  func losingWhileUnsubscribing() {
    var machine = Machine()
    _ = machine.join("a")
    _ = machine.subscribed(number: 1)
    _ = machine.leave()
    #expect(machine.connectionLost(Self.refused).isIdle)
    #expect(machine.isIdle)
  }

  @Test("at random, there is at most one call, and nobody waits for ever", arguments: 0..<200)
  func random(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let fences = seed % 2 == 1
    var machine = Machine(fences: fences)
    var outstanding: Machine.Call?
    var hasBegun = false
    // Who came when the call that is under way had begun.
    var late: Set<String> = []
    var waiting: Set<String> = []
    var members = 0
    var toLeave = 0
    var names = 0
    var isConnected = true
    var isSuspended = false
    func apply(_ action: Machine.Action) {
      for waiter in action.waiters {
        #expect(waiting.remove(waiter) != nil)
        if action.error != nil { toLeave += 1 }
      }
      if let call = action.call {
        #expect(outstanding == nil && isConnected)
        (outstanding, hasBegun) = (call, false)
        late = []
      }
    }
    func begin() {
      guard let call = outstanding, !hasBegun else { return }
      hasBegun = machine.begin(call)
      #expect(hasBegun)
    }
    func answer(fails: Bool) {
      begin()
      guard let call = outstanding else { return }
      outstanding = nil
      let action: Machine.Action
      switch call {
      case .subscribe(let number):
        action = fails ? machine.subscribeFailed(number: number, Self.refused) : machine.subscribed(number: number)
      case .catchUp(let number): action = machine.caughtUp(number: number, fails ? Self.refused : nil)
      case .unsubscribe(let number): action = machine.unsubscribed(number: number)
      case .load: action = .init()
      }
      #expect(action.error != nil || late.isDisjoint(with: action.waiters))
      apply(action)
    }
    func leaveFailed() {
      while toLeave > 0 {
        toLeave -= 1
        members -= 1
        apply(machine.leave())
      }
    }
    for _ in 0..<300 {
      switch Int.random(in: 0..<13, using: &random) {
      case 0...1:
        names += 1
        let name = "\(names)"
        members += 1
        switch machine.join(name, isConnected: isConnected && !isSuspended) {
        case .ready: #expect(!fences)
        case .refused: Issue.record("refused")
        case .wait(let call):
          waiting.insert(name)
          if fences, outstanding != nil, hasBegun { late.insert(name) }
          if let call { apply(.init(call: call)) }
        }
      case 2 where members - waiting.count - toLeave > 0:
        members -= 1
        apply(machine.leave())
      case 3:
        if let name = waiting.randomElement(using: &random) {
          waiting.remove(name)
          machine.forget { $0 == name }
          members -= 1
          apply(machine.leave())
        }
      case 4: answer(fails: true)
      case 5: answer(fails: false)
      case 6 where isConnected:
        (isConnected, isSuspended) = (false, false)
        outstanding = nil
        apply(machine.connectionLost(Self.refused))
        #expect(waiting.isEmpty)
      case 8 where isConnected:
        apply(machine.subscriptionLost(Self.refused, .brokerLoss))
      case 9 where isConnected && !isSuspended:
        apply(machine.retry())
      case 10: begin()
      case 11 where isConnected: isSuspended = true
      case 12 where isSuspended:
        isSuspended = false
        apply(machine.retry())
      case 7 where !isConnected:
        isConnected = true
        apply(machine.retry())
      default: leaveFailed()
      }
    }
    leaveFailed()
    if !isConnected || isSuspended {
      isConnected = true
      apply(machine.retry())
    }
    while outstanding != nil { answer(fails: false) }
    apply(machine.retry())
    while outstanding != nil { answer(fails: false) }
    #expect(waiting.isEmpty)
    for _ in 0..<members { apply(machine.leave()) }
    while outstanding != nil { answer(fails: false) }
    #expect(machine.isIdle)
  }
}
