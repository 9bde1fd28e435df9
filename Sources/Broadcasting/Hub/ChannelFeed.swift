//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// One channel of a hub, or one pattern: its log, those who read it, and where its subscription at the broker stands.
///
/// Nothing is called under its lock. What has to happen after a step comes out of it as a value: subscriptions to wake,
/// waiters to resume, a call of the driver.
final class ChannelFeed: Sendable {
  typealias Machine = ChannelStateMachine<Waiter>
  typealias Sleeper = ReaderTable.Sleeper

  /// Who waits until its subscription stands, and the slot of its reader.
  struct Waiter: Sendable {
    var latch: Latch
    var slot: Int
    var start: SubscriptionStart
  }

  struct State: Sendable {
    var log = SegmentLog<Delivery>()
    var readers = ReaderTable()
    var machine: Machine
    var delivered = 0
    var dropped = 0
    var gaps = 0
    var renewals = RenewalPace()
    /// Nil where the channel has no history.
    var history: FeedHistory?

    /// What the budget has to know of; blocks of the history count themselves.
    var heldBytes: Int { log.heldBytes + (history?.heldBytes ?? 0) }

    /// Whether nobody reads, nothing is under way at the driver, and nothing is kept.
    var isIdle: Bool { readers.count == 0 && machine.isIdle && !(history?.keepsFeed ?? false) }
  }

  /// What a reader finds.
  struct Reading: Sendable {
    var chunk: SegmentLog<Delivery>.Chunk?
    var hasMore = false
    /// What to compare `currentTip` with before reading again.
    var seen = 0
  }

  let topic: Topic
  let hasHistory: Bool
  /// Whether its history, if it has one, is at a broker.
  let isLinked: Bool
  let budget: MemoryBudget
  /// Changes with every append, so that a reader who has seen it all need not take the lock to know.
  private let tip = Atomic<Int>(0)
  let state: Lock<State>

  /// - Parameter fences: Whether the driver is asked to catch up for later readers.
  init(_ topic: Topic, budget: MemoryBudget, fences: Bool = false, history: FeedHistory? = nil) {
    self.topic = topic
    self.budget = budget
    hasHistory = history != nil
    isLinked = history?.link != nil
    state = Lock(State(machine: Machine(fences: fences, loads: isLinked), history: history))
  }

  deinit {
    let held = state.withLock { $0.heldBytes }
    if held != 0 { budget.add(-held) }
  }

  var currentTip: Int { tip.load(ordering: .acquiring) }

  /// Runs `body` under the lock, and afterwards tells the budget what the log gained or lost.
  @inline(__always)
  func withLog<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
    let (result, change) = state.withLock { state in
      let before = state.heldBytes
      let result = body(&state)
      return (result, state.heldBytes - before)
    }
    if change != 0 { budget.add(change) }
    return result
  }
}

// MARK: Publishing

extension ChannelFeed {
  /// Appends one delivery. Returns whom to wake.
  func append(_ delivery: Delivery) -> [Sleeper] {
    withLog { append(delivery, &$0) }
  }

  func append(_ delivery: Delivery, _ state: inout State) -> [Sleeper] {
    guard state.readers.count > 0 else { return [] }
    state.log.append(delivery, age: budget.tick())
    return finishAppending(&state)
  }

  /// Appends deliveries which came together. Returns whom to wake.
  func append(contentsOf deliveries: [Delivery]) -> [Sleeper] {
    withLog { append(deliveries, &$0) }
  }

  func append(_ deliveries: [Delivery], _ state: inout State) -> [Sleeper] {
    if deliveries.count == 1 { return append(deliveries[0], &state) }
    guard state.readers.count > 0 else { return [] }
    state.log.append(contentsOf: deliveries, age: budget.tick())
    return finishAppending(&state)
  }

  /// Appends what came from a broker, and before it the gap that is still owed.
  func receive(_ deliveries: [Delivery]) -> [Sleeper] {
    withLog { state in
      guard state.readers.count > 0 else { return [] }
      if state.machine.received() { appendGap(&state) }
      return append(deliveries, &state)
    }
  }

  func appendGap(_ state: inout State) {
    let gap = Gap(topic, missed: nil, reason: state.machine.gapReason)
    state.log.append(.gap(gap), age: budget.tick())
    for slot in state.readers.readers.indices {
      guard state.readers[slot].core != nil, !state.readers[slot].isConfirmed else { continue }
      passOver(slot, &state)
    }
  }

  /// Has a reader pass over what is in the log, which is not its own.
  func passOver(_ slot: Int, _ state: inout State) {
    state.log.remove(state.readers[slot].cursor)
    state.readers[slot].cursor = state.log.makeCursor()
  }

  func finishAppending(_ state: inout State) -> [Sleeper] {
    state.log.trim(to: state.readers.widest)
    tip.wrappingAdd(1, ordering: .releasing)
    return state.readers.takeSleepers()
  }
}

// MARK: Reading

extension ChannelFeed {
  /// Reads for a slot, at most a segment. With `sleeps`, a reader who has got everything is woken by the next append.
  func read(
    _ slot: Int, of core: SubscriptionCore, maximumMessages: Int, maximumBytes: Int, sleeps: Bool
  ) -> Reading {
    withLog { state in
      guard state.readers.holds(slot, for: core) else { return Reading(seen: currentTip) }
      var reading = Reading()
      if let past = state.readers[slot].past {
        reading.chunk = readPast(slot, past, maximumMessages: maximumMessages, maximumBytes: maximumBytes, &state)
      } else {
        reading.chunk = readLog(slot, maximumMessages: maximumMessages, maximumBytes: maximumBytes, &state)
      }
      if let chunk = reading.chunk {
        state.delivered += chunk.range.count - chunk.marks
        state.gaps += chunk.marks
        if let skip = chunk.skip {
          state.gaps += 1
          state.dropped += skip.messages ?? 0
        }
      }
      reading.hasMore = hasUnread(slot, &state)
      reading.seen = reading.hasMore ? currentTip - 1 : currentTip
      if sleeps, !reading.hasMore { state.readers.sleep(slot) }
      return reading
    }
  }

  func readLog(
    _ slot: Int, maximumMessages: Int, maximumBytes: Int, _ state: inout State
  ) -> SegmentLog<Delivery>.Chunk? {
    var cursor = state.readers[slot].cursor
    defer { state.readers[slot].cursor = cursor }
    return state.log.read(
      &cursor, limits: state.readers[slot].limits, maximumMessages: maximumMessages, maximumBytes: maximumBytes)
  }

  private func hasUnread(_ slot: Int, _ state: inout State) -> Bool {
    state.log.hasUnread(state.readers[slot].cursor) || state.readers[slot].past?.hasUnread ?? false
  }

  func unreadMessages(_ slot: Int, of core: SubscriptionCore) -> Int {
    state.withLock { state in
      guard state.readers.holds(slot, for: core) else { return 0 }
      let live = state.log.backlog(of: state.readers[slot].cursor).messages
      return live + (state.readers[slot].past?.unreadMessages ?? 0)
    }
  }

  /// Has a reader woken by the next append. Returns false when there is something to read already.
  func sleep(_ slot: Int, of core: SubscriptionCore) -> Bool {
    state.withLock { state in
      guard state.readers.holds(slot, for: core) else { return false }
      guard !hasUnread(slot, &state) else { return false }
      state.readers.sleep(slot)
      return true
    }
  }
}

// MARK: Members

extension ChannelFeed {
  /// Adds a reader, who gets what its start asks for, and what is appended from now on. Without a driver, and so without a
  /// latch, it is subscribed at once.
  func join(
    _ core: SubscriptionCore, limits: LogLimits, start: SubscriptionStart, latch: Latch?, isConnected: Bool
  ) -> (slot: Int, joining: Machine.Joining) {
    withLog { state in
      let slot = state.readers.insert(
        .init(cursor: state.log.makeCursor(), limits: limits, core: core, isConfirmed: true))
      guard let latch else {
        _ = serve(start, slot, &state)
        return (slot, .ready)
      }
      if let joining = joinAtOnce(start, slot, &state) { return (slot, joining) }
      let joining = state.machine.join(Waiter(latch: latch, slot: slot, start: start), isConnected: isConnected)
      if case .wait = joining { state.readers[slot].isConfirmed = false }
      return (slot, joining)
    }
  }

  /// Removes a reader. Returns what follows, or nil when it has left before.
  func leave(_ slot: Int, of core: SubscriptionCore, latch: Latch?) -> Machine.Action? {
    withLog { state in
      guard state.readers.holds(slot, for: core) else { return nil }
      state.log.remove(state.readers[slot].cursor)
      state.readers.remove(slot)
      state.log.trim(to: state.readers.widest)
      guard let latch else { return Machine.Action(isIdle: state.isIdle) }
      state.machine.forget { $0.latch === latch }
      let action = state.machine.leave()
      // Nobody is left to be woken.
      _ = follow(action, &state)
      return action
    }
  }

  /// Gives the state machine an event. Returns what follows, and whom to wake because of a gap.
  func handle(_ event: (inout Machine) -> Machine.Action) -> (action: Machine.Action, woken: [Sleeper]) {
    withLog { state in
      let action = event(&state.machine)
      if action.isResubscribed { state.renewals.succeeded() }
      var woken: [Sleeper] = []
      if action.isGap, state.readers.count > 0 {
        appendGap(&state)
        woken = finishAppending(&state)
      }
      if action.error == nil {
        for waiter in action.waiters {
          state.readers[waiter.slot].isConfirmed = true
          if action.isCaughtUp { passOver(waiter.slot, &state) }
        }
      }
      return (action, woken + follow(action, &state))
    }
  }

  /// How long to wait before a lost subscription is asked for again; nil where that is planned already.
  func planRenewal(after error: BroadcastError, _ configuration: HubConfiguration) -> Duration? {
    state.withLock { $0.renewals.plan(after: error, configuration) }
  }

  /// The planned time has come.
  func renewalIsDue() { state.withLock { $0.renewals.isPlanned = false } }

  /// The driver is about to be asked. Returns whether anybody still waits for the answer.
  func begin(_ call: Machine.Call) -> Bool {
    state.withLock { state in
      guard state.machine.begin(call) else { return false }
      if case .subscribe = call { state.history?.link?.sync.begin() }
      return true
    }
  }

  /// The subscriptions which read it.
  var subscribers: [SubscriptionCore] { state.withLock { $0.readers.cores } }
}
