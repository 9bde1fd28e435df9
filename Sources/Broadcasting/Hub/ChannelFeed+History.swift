//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// A channel whose history is at a broker.
extension ChannelFeed {
  /// What follows when something arrived or was read.
  struct HistoryStep: Sendable {
    var action = Machine.Action()
    var woken: [Sleeper] = []
    /// Waiters who don't get what they begin with, and why: the channel has no past, or it could not be read.
    var failed: [Waiter] = []
    var failure: BroadcastError?
    /// What has to be asked for next. Nil where nothing has.
    var question: HistoryLink.Question?
    /// Messages that closed a hole.
    var filled: Int?
    /// Messages without a position so far, where that is to be told.
    var unrecorded: Int?
  }

  /// Runs `body` where the channel has a history at a broker.
  private func withLink(_ body: (inout State, FeedHistory, inout HistoryLink, inout HistoryStep) -> Void) -> HistoryStep
  {
    withLog { state in
      var step = HistoryStep()
      guard let history = state.history, var link = history.link else { return step }
      // Taken out meanwhile, so that it is changed in its place.
      history.link = nil
      body(&state, history, &link, &step)
      history.link = link
      return step
    }
  }

  // MARK: What arrives

  /// Takes what came from the broker.
  func arrived(_ deliveries: [Delivery]) -> HistoryStep {
    withLink { state, history, link, step in
      if link.sync.mode == .off, state.readers.count > 0, state.machine.received() { appendGap(&state) }
      take(link.sync.arrived(deliveries), history, &link, &state, &step)
      if link.sync.mode == .filling { step.action.call = state.machine.needLoad() }
    }
  }

  /// A message was left out.
  func missed(at position: MessagePosition) -> HistoryStep {
    withLink { state, history, link, step in
      take(link.sync.missed(at: position), history, &link, &state, &step)
      if link.sync.mode == .filling { step.action.call = state.machine.needLoad() }
    }
  }

  // MARK: The subscription

  /// The driver has subscribed, and says where the channel stands.
  func opened(number: Int, _ head: MessagePosition?) -> HistoryStep {
    withLink { state, history, link, step in
      guard state.machine.isUnderWay(.subscribe(number: number)) else { return }
      // What was owed while nothing was known of a history.
      if state.readers.count > 0, state.machine.received() {
        appendGap(&state)
        step.woken += finishAppending(&state)
      }
      if state.machine.earlyLoss == nil {
        take(link.sync.opened(head, state.machine.gapReason), isHole: true, history, &link, &state, &step)
        state.machine.loads = head != nil
      }
      let served = serveWaiters(history, &link, &state)
      step.action = state.machine.opened(
        number: number, needsLoad: link.sync.mode == .filling,
        isServed: { head == nil || served.contains($0.slot) })
      if head == nil, state.machine.earlyLoss == nil {
        step.failed = step.action.waiters.filter { $0.start != .live }
        step.failure = .noHistory(of: history.channel)
        step.action.waiters.removeAll { $0.start != .live }
      }
      settle(history, &link, &state, &step)
    }
  }

  /// Takes an answer, and says what has to be asked for next. Nothing, where the load is over.
  func load(number: Int, _ answer: HistoryLink.Answer?) -> HistoryStep {
    withLink { state, history, link, step in
      guard state.machine.isUnderWay(.load(number: number)) else { return }
      switch answer {
      case nil: break
      case .hole(let page): take(link.sync.read(page), isHole: true, history, &link, &state, &step)
      case .failedHole: take(link.sync.failed(), isHole: true, history, &link, &state, &step)
      case .past(let page): link.gathering?.add(page)
      case .failedPast(let error):
        link.gathering = nil
        step.failure = error
      }
      let served = serveWaiters(history, &link, &state)
      if !served.isEmpty { step.action.waiters = state.machine.takeWaiters { served.contains($0.slot) } }
      // Nobody asks once more for each of them. Who begins live needs nothing of it.
      if step.failure != nil { step.failed = state.machine.takeWaiters { $0.start != .live } }
      step.question = question(history, &link, state)
      if step.question == nil { state.machine.loaded(number: number) }
    }
  }

  private func question(_ history: FeedHistory, _ link: inout HistoryLink, _ state: State) -> HistoryLink.Question? {
    if let query = link.sync.takeQuery() { return .hole(query) }
    // Who gave up needs nothing more.
    if let start = link.gathering?.start, !state.machine.waiters.contains(where: { $0.start == start }) {
      link.gathering = nil
    }
    guard let first = state.machine.waiters.first else { return nil }
    let gathering =
      link.gathering ?? HistoryGathering(first.start, link.isPolicyKnown ? history.ring.policy : .greatest)
    link.gathering = gathering
    return .past(gathering.query)
  }

  /// What follows a step of the state machine.
  private func settle(
    _ history: FeedHistory, _ link: inout HistoryLink, _ state: inout State, _ step: inout HistoryStep
  ) {
    if step.action.isResubscribed { state.renewals.succeeded() }
    for waiter in step.action.waiters where step.action.error == nil { state.readers[waiter.slot].isConfirmed = true }
    follow(step.action, history, &link, &state, &step)
  }

  /// Tells the history what has become of the subscription.
  private func follow(
    _ action: Machine.Action, _ history: FeedHistory, _ link: inout HistoryLink, _ state: inout State,
    _ step: inout HistoryStep
  ) {
    if action.isIdle || action.call?.isUnsubscribe ?? false {
      link.forget()
      history.ring.restart(at: .beginning)
    } else if action.loss != nil || state.machine.isGone {
      link.gathering = nil
      take(link.sync.lost(), history, &link, &state, &step)
    }
  }

  /// Tells the history, if there is one, what has become of the subscription.
  func follow(_ action: Machine.Action, _ state: inout State) -> [Sleeper] {
    guard let history = state.history, var link = history.link else { return [] }
    history.link = nil
    var step = HistoryStep()
    follow(action, history, &link, &state, &step)
    history.link = link
    return step.woken
  }

  func countLink(into statistics: inout BroadcastStatistics) {
    let link = state.withLock { $0.history?.link }
    statistics.filled += link?.filled ?? 0
    statistics.unrecorded += link?.unrecorded ?? 0
  }

  // MARK: Steps

  /// Hands on what the history says, and keeps it.
  ///
  /// - Parameter isHole: Whether it was read, or held back until something was.
  private func take(
    _ some: HistorySync.Step, isHole: Bool = false, _ history: FeedHistory, _ link: inout HistoryLink,
    _ state: inout State,
    _ step: inout HistoryStep
  ) {
    if let count = link.count(some) { step.unrecorded = count }
    if let count = some.filled { step.filled = count }
    if link.sync.mode != .off { keep(some.deliveries, link, history) }
    if some.deliveries.isEmpty { return }
    step.woken += isHole ? appendHole(some.deliveries, link, history, &state) : append(some.deliveries, &state)
  }

  private func keep(_ deliveries: [Delivery], _ link: HistoryLink, _ history: FeedHistory) {
    for case .message(let message) in deliveries {
      guard let position = message.position, position.offset > 0 else { continue }
      if position != history.ring.last.next {
        let base = MessagePosition(epoch: position.epoch, offset: position.offset - 1)
        // Behind the beginning comes the first message, in whichever epoch.
        let isFirst = history.ring.last == .beginning && base.offset == 0
        history.ring.restart(at: base, isWhole: isFirst && history.ring.isWhole)
      }
      history.append(message)
    }
    if let last = link.sync.last, last != history.ring.last {
      history.ring.restart(at: last, isWhole: last == .beginning)
    }
  }

  /// Serves whom it can. Returns their slots.
  private func serveWaiters(_ history: FeedHistory, _ link: inout HistoryLink, _ state: inout State) -> Set<Int> {
    guard link.sync.mode == .live, let last = link.sync.last, !state.machine.waiters.isEmpty else { return [] }
    var served: Set<Int> = []
    var gathered: (start: SubscriptionStart, past: Past)?
    if let gathering = link.gathering, gathering.meets(last: last, base: history.ring.base) {
      gathered = (
        gathering.start,
        gathering.past(until: last, with: &history.ring, on: history.channel, budget: budget)
      )
      history.keep(gathering)
      link.gathering = nil
    }
    for waiter in state.machine.waiters {
      if let gathered, gathered.start == waiter.start {
        give(gathered.past, to: waiter.slot, &state)
      } else if !serve(waiter.start, waiter.slot, history, link, &state) {
        continue
      }
      state.readers[waiter.slot].isConfirmed = true
      served.insert(waiter.slot)
    }
    return served
  }

  /// Has a reader begin where it asked for, if that is at hand.
  private func serve(
    _ start: SubscriptionStart, _ slot: Int, _ history: FeedHistory, _ link: HistoryLink, _ state: inout State
  ) -> Bool {
    if case .last(let count) = start.value, !link.isPolicyKnown, count > history.ring.count { return false }
    return serve(start, slot, &state)
  }

  /// Has a reader who joins begin where it asked for, if that is at hand. Nil where it has to wait.
  func joinAtOnce(_ start: SubscriptionStart, _ slot: Int, _ state: inout State) -> Machine.Joining? {
    guard let history = state.history, let link = history.link, state.machine.isStanding else { return nil }
    switch link.sync.mode {
    case .off where start != .live:
      state.machine.joinServed()
      return .refused
    case .live:
      guard serve(start, slot, history, link, &state) else { return nil }
      state.machine.joinServed()
      return .ready
    case .off, .closed, .opening, .filling: return nil
    }
  }
}
