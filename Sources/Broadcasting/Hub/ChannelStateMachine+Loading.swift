//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension ChannelStateMachine {
  var isIdle: Bool {
    if case .idle = state { members == 0 } else { false }
  }

  /// Whether the driver is asked for this, and an answer is one.
  func isUnderWay(_ call: Call) -> Bool {
    switch (call, state) {
    case (.subscribe(let asked), .subscribing(let number)): asked == number
    case (.catchUp(let asked), .catchingUp(let number)): asked == number
    case (.load(let asked), .loading(let number)): asked == number
    case (.unsubscribe(let asked), .unsubscribing(let number)): asked == number
    default: false
    }
  }

  /// Whether what is published arrives.
  var isStanding: Bool {
    switch state {
    case .active, .loading: true
    case .idle, .subscribing, .catchingUp, .unsubscribing, .lost: false
    }
  }

  /// Whether there is no subscription at the broker, nor soon one.
  var isGone: Bool {
    switch state {
    case .idle, .unsubscribing, .lost: true
    case .subscribing, .active, .loading, .catchingUp: false
    }
  }
}

/// Where the channel has a history: waiters are served by it, as soon as it holds what they asked for.
extension ChannelStateMachine {
  /// Somebody subscribes who has been served already, or never will be.
  mutating func joinServed() { members += 1 }

  /// The subscription stands. Waiters are served, or wait until what they asked for is read.
  mutating func opened(number answered: Int, needsLoad: Bool, isServed: (Waiter) -> Bool) -> Action {
    guard case .subscribing(answered) = state else { return Action() }
    waiters += latecomers
    latecomers = []
    var action = Action(isResubscribed: isRenewal)
    endRenewal()
    // Of a subscription that is no more nobody is served.
    if earlyLoss == nil { action.waiters = takeWaiters(where: isServed) }
    goOn(&action)
    if case .active = state, needsLoad || !waiters.isEmpty { action.call = catchUp() }
    return action
  }

  /// Something is missing that has to be read. Nil where it will be anyhow, or the subscription is no more.
  mutating func needLoad() -> Call? {
    if case .active = state { catchUp() } else { nil }
  }

  mutating func takeWaiters(where isServed: (Waiter) -> Bool) -> [Waiter] {
    let served = waiters.filter(isServed)
    if !served.isEmpty { waiters.removeAll(where: isServed) }
    return served
  }

  /// Nothing more has to be read.
  mutating func loaded(number answered: Int) {
    if case .loading(answered) = state { state = .active }
  }

  mutating func load(_ number: Int) -> Call {
    state = .loading(number: number)
    return .load(number: number)
  }
}
