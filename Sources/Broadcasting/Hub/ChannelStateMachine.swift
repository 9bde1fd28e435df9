//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a hub has to do for one channel, as a machine that does nothing itself.
///
/// Each event returns what has to follow: a call of the driver, waiters to resume. There is at most one call of the
/// driver under way for a channel. A call has a number, and an answer with another number comes from before a lost
/// connection and is ignored.
///
/// Members who were subscribed when a connection was lost are told of a gap before all that comes afterwards. Each renewal
/// owes it anew, and it is told when the broker confirms, or before a message that overtakes the confirmation. Where the
/// broker refuses, members would hear nothing for as long as it does, so they are told at the first refusal too. That
/// does not pay what is owed: whoever has made good there what it missed can miss more until the broker confirms. Further
/// refusals tell nothing new. A subscription that the broker ends by itself is renewed in the same way.
///
/// With fences, whoever joins a subscription that stands already waits until the driver has handed over what was published
/// before. An answer serves those who came before its call began, and the others wait for the next one.
///
/// With a history (``loads``), what is missing is read, and who tells of gaps is ``HistorySync``: here none is owed. Only a
/// refusal for good is told at once: what may soon work is asked for again soon, and then the history has what was missed.
struct ChannelStateMachine<Waiter: Sendable>: Sendable {
  enum State: Sendable {
    case idle
    case subscribing(number: Int)
    case active
    /// Active, and parts of the history are read, for waiters or for those who missed them.
    case loading(number: Int)
    /// Active, and the driver hands over what was published before the waiters came.
    case catchingUp(number: Int)
    case unsubscribing(number: Int)
    /// There is no connection, the broker ended the subscription or refused its renewal: members wait.
    case lost
  }

  let fences: Bool
  /// Whether there is a history, from which members are given what they missed.
  var loads: Bool
  var state = State.idle
  /// Who waits for the answer of the call that is under way, or for the next call.
  var waiters: [Waiter] = []
  /// Who came when that call had begun, so that its answer is none for them. Only with fences.
  var latecomers: [Waiter] = []
  private var hasBegun = false
  var members = 0
  private var number = 0
  /// The subscription was there before a connection was lost, and is not there again yet.
  private(set) var isRenewal = false
  /// The gap of this renewal has not been told yet.
  private var owesGap = false
  /// Why there is a gap, for whoever tells of it.
  private(set) var gapReason = Gap.Reason.connectionLost
  /// Why the subscription that is being confirmed has ended already.
  private(set) var earlyLoss: BroadcastError?
  /// Members know that the broker refuses.
  private var hasToldRefusal = false

  /// - Parameters:
  ///   - fences: Whether a member gets nothing that was published before it came.
  ///   - loads: Whether there is a history, as far as is known.
  init(fences: Bool = false, loads: Bool = false) {
    self.fences = fences
    self.loads = loads
  }

  // MARK: Members

  /// Somebody subscribes here. Without a connection nothing is asked for until ``retry()``. With one, a renewal that waits
  /// for its time is asked for now, so that nobody waits longer than the broker takes to answer.
  mutating func join(_ waiter: @autoclosure () -> Waiter, isConnected: Bool = true) -> Joining {
    members += 1
    switch state {
    case .active:
      guard fences || loads else { return .ready }
      waiters.append(waiter())
      return .wait(isConnected ? catchUp() : nil)
    case .idle:
      waiters.append(waiter())
      guard isConnected else {
        state = .lost
        return .wait(nil)
      }
      return .wait(subscribe())
    case .lost:
      waiters.append(waiter())
      return .wait(isConnected ? renew() : nil)
    case .subscribing, .catchingUp:
      if fences, hasBegun { latecomers.append(waiter()) } else { waiters.append(waiter()) }
      return .wait(nil)
    case .unsubscribing, .loading:
      waiters.append(waiter())
      return .wait(nil)
    }
  }

  /// A waiter does not want to know any more. Its member still has to leave.
  mutating func forget(where isWaiter: (Waiter) -> Bool) {
    waiters.removeAll(where: isWaiter)
    latecomers.removeAll(where: isWaiter)
  }

  /// A member leaves.
  mutating func leave() -> Action {
    members -= 1
    guard members == 0 else { return Action() }
    endRenewal()
    switch state {
    // Nobody needs what is read: its answer will come to nobody.
    case .active, .loading:
      return Action(call: unsubscribe())
    case .lost:
      state = .idle
      return Action(isIdle: true)
    case .idle:
      return Action(isIdle: true)
    case .subscribing, .catchingUp, .unsubscribing:
      return Action()
    }
  }

  // MARK: The driver's answers

  /// The driver is about to be asked. Returns whether anybody still waits for the answer.
  mutating func begin(_ call: Call) -> Bool {
    let isCurrent = isUnderWay(call)
    if isCurrent { hasBegun = true }
    return isCurrent
  }

  mutating func subscribed(number answered: Int) -> Action {
    guard case .subscribing(answered) = state else { return Action() }
    var action = Action(waiters: takeServed(), isGap: owesGap, isResubscribed: isRenewal)
    endRenewal()
    goOn(&action)
    return action
  }

  /// With an error waiters fail, and nobody else.
  mutating func caughtUp(number answered: Int, _ error: BroadcastError? = nil) -> Action {
    guard case .catchingUp(answered) = state else { return Action() }
    // Of a subscription that is no more it is no answer: they wait for the next one.
    var action = earlyLoss == nil ? Action(waiters: takeServed(), error: error, isCaughtUp: true) : Action()
    goOn(&action)
    return action
  }

  /// What follows where the subscription stands.
  mutating func goOn(_ action: inout Action) {
    state = .active
    if members == 0 {
      action.call = unsubscribe()
    } else if let earlyLoss {
      lose()
      action.loss = earlyLoss
      if !(waiters.isEmpty && latecomers.isEmpty) { action.call = renew() }
    } else if !latecomers.isEmpty {
      action.call = catchUp()
    }
  }

  /// Waiters fail. Members who were subscribed before stay, and the call has to be made again later by ``retry()``.
  mutating func subscribeFailed(number answered: Int, _ error: BroadcastError) -> Action {
    guard case .subscribing(answered) = state else { return Action() }
    let failed = take()
    // Waiters have not left yet: they do when they are resumed. Whoever is not a waiter was here before.
    guard isRenewal, members > failed.count else {
      endRenewal()
      state = .idle
      return Action(waiters: failed, error: error, isIdle: members == 0)
    }
    state = .lost
    let isGap = !hasToldRefusal && !(loads && error.isRetriable)
    hasToldRefusal = hasToldRefusal || isGap
    return Action(waiters: failed, error: error, isGap: isGap, loss: error)
  }

  /// Also when it failed: a broker which keeps sending what nobody reads harms nobody.
  mutating func unsubscribed(number answered: Int) -> Action {
    guard case .unsubscribing(answered) = state else { return Action() }
    guard members > 0 else {
      state = .idle
      return Action(isIdle: true)
    }
    return Action(call: subscribe())
  }

  /// The broker has ended the subscription, while the connection stands. Members are told with its renewal.
  mutating func subscriptionLost(_ error: BroadcastError, _ reason: Gap.Reason) -> Action {
    switch state {
    case .active, .loading:
      gapReason = reason
      lose()
      return Action(call: loads && !waiters.isEmpty ? renew() : nil, loss: error)
    case .subscribing, .catchingUp:
      // The news has overtaken the answer, which will come to members of a subscription that is no more.
      gapReason = reason
      earlyLoss = error
      return Action()
    case .idle, .unsubscribing, .lost:
      return Action()
    }
  }

  // MARK: The connection

  /// The connection is gone, and all that was under way with it.
  mutating func connectionLost(_ error: BroadcastError) -> Action {
    let failed = take()
    switch state {
    case .active, .catchingUp, .loading: isRenewal = members > 0
    case .idle, .subscribing, .unsubscribing, .lost: break
    }
    gapReason = .connectionLost
    owesGap = isRenewal && !loads
    state = members > 0 ? .lost : .idle
    return Action(waiters: failed, error: error, isIdle: members == 0)
  }

  /// There is a connection again, or the renewal of a lost subscription is due.
  mutating func retry() -> Action {
    switch state {
    case .lost where members > 0: return Action(call: renew())
    case .lost:
      state = .idle
      return Action(isIdle: true)
    // They came while the broker was away, and the subscription outlived that.
    case .active where !waiters.isEmpty: return Action(call: catchUp())
    case .idle, .subscribing, .active, .loading, .catchingUp, .unsubscribing: return Action()
    }
  }

  /// A message arrived. Returns whether a gap has to stand before it.
  mutating func received() -> Bool {
    // Who hears again has to be told again when a renewal is refused.
    hasToldRefusal = false
    defer { owesGap = false }
    return owesGap
  }

  // MARK: Steps

  mutating func endRenewal() {
    isRenewal = false
    owesGap = false
    hasToldRefusal = false
  }

  private mutating func lose() {
    isRenewal = true
    owesGap = !loads
    state = .lost
  }

  private mutating func renew() -> Call {
    owesGap = isRenewal && !loads
    return subscribe()
  }

  private mutating func subscribe() -> Call {
    beginCall()
    state = .subscribing(number: number)
    return .subscribe(number: number)
  }

  /// Has the waiters wait for what the driver says, or for what it reads.
  mutating func catchUp() -> Call {
    beginCall()
    if loads { return load(number) }
    state = .catchingUp(number: number)
    return .catchUp(number: number)
  }

  mutating func unsubscribe() -> Call {
    beginCall()
    state = .unsubscribing(number: number)
    return .unsubscribe(number: number)
  }

  private mutating func beginCall() {
    number += 1
    earlyLoss = nil
    hasBegun = false
    if !latecomers.isEmpty {
      waiters += latecomers
      latecomers = []
    }
  }

  /// Takes those for whom the call has been made that is answered.
  private mutating func takeServed() -> [Waiter] {
    defer { waiters = [] }
    return waiters
  }

  private mutating func take() -> [Waiter] {
    defer { latecomers = [] }
    return takeServed() + latecomers
  }
}
