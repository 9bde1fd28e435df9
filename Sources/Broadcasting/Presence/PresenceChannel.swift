//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// All that a hub has of one channel's presence: its own members, its watchers, and what is to be asked of the broker next.
struct PresenceChannel: Sendable {
  enum Call: Sendable, Hashable {
    case watch
    case unwatch
    case change(round: Int, steps: [PresenceChange.Step])
    case check(members: Int, round: Int?, epoch: UInt64?)
    case read
  }

  /// After a failure that may pass the channel waits for so many ticks, and after a refusal.
  static let restTicks = 2
  static let longRestTicks = 60

  var own = OwnMembers()
  var audience = PresenceAudience()
  /// Where there is a broker, while the channel is watched.
  var sync: PresenceSync?
  /// Where there is none.
  var model = PresenceModel()
  /// Watchers who wait for the first state.
  var waiting: [(watcher: Int, latch: Latch)] = []

  private(set) var isBusy = false
  var isQueued = false
  var isCheckDue = false
  private var rest = 0

  /// What the members of others that are known here take.
  var bytes: Int { sync?.bytes ?? 0 }
  /// Whether nothing is left of it.
  var isIdle: Bool { own.isEmpty && audience.isEmpty && sync == nil && !isBusy }
  /// Whether ticks mean something to it.
  var isWaiting: Bool { rest > 0 || sync?.isFilling == true }

  /// Those who wait begin with what is known now. Returns whom to tell.
  mutating func beginWatching() -> [OwnMembers.Resolved] {
    if waiting.isEmpty { return [] }
    defer { waiting = [] }
    audience.begin(waiting.map(\.watcher), with: members())
    return waiting.map { ($0.latch, nil) }
  }

  mutating func members() -> [PresenceMember] { sync?.members() ?? model.members() }

  /// Somebody new wants something: a pause after a failure is over.
  mutating func hurry() { rest = 0 }

  /// What to ask the broker now. There is one call under way at a time.
  mutating func nextCall() -> Call? {
    guard !isBusy else { return nil }
    if let sync, !sync.isWatched, audience.isEmpty { self.sync = nil }
    guard rest == 0, let call = choose() else { return nil }
    isBusy = true
    return call
  }

  /// What to ask the broker at the end, when nobody wants to know anything any more.
  mutating func lastCall() -> Call? {
    guard !isBusy, rest == 0, let call = chooseOwn() else { return nil }
    isBusy = true
    return call
  }

  private mutating func choose() -> Call? {
    if let sync {
      if audience.isEmpty { return .unwatch }
      if !sync.isWatched { return .watch }
    } else if !audience.isEmpty {
      sync = PresenceSync()
      return .watch
    }
    // The dead are taken out before the first look. While members are told again nothing can be right.
    if isCheckDue, !own.needsSweep {
      isCheckDue = false
      return .check(members: own.known, round: nil, epoch: own.known > 0 ? own.epoch : nil)
    }
    if sync?.needsSnapshot == true {
      sync?.askForSnapshot()
      return .read
    }
    return chooseOwn()
  }

  private mutating func chooseOwn() -> Call? {
    let steps = own.takeSteps()
    if !steps.isEmpty { return .change(round: own.round, steps: steps) }
    if own.needsSweep { return .check(members: own.known, round: own.round, epoch: nil) }
    // Only who knows the epoch can tell that a part is lost.
    if own.known > 0, own.epoch == nil { return .check(members: own.known, round: nil, epoch: nil) }
    return nil
  }

  // MARK: Answers

  mutating func done() { isBusy = false }

  /// Nothing is known of what a call has done.
  mutating func failed(_ call: Call, _ error: BroadcastError) -> [OwnMembers.Resolved] {
    isBusy = false
    rest = error.isRetriable ? Self.restTicks : Self.longRestTicks
    var resolved: [OwnMembers.Resolved] = []
    switch call {
    case .change(_, let steps):
      resolved = own.failed(steps, error)
      own.tellAgain()
    case .watch, .read:
      resolved = waiting.map { ($0.latch, error) }
      waiting = []
    case .unwatch:
      // Whatever still comes is nobody's.
      sync = nil
    case .check(_, let round, _):
      // Whoever may not do that may also not have told of anybody.
      if round != nil, own.count == 0, !error.isRetriable { own.giveUp() }
    }
    return resolved
  }

  mutating func lost(_ error: BroadcastError) -> [OwnMembers.Resolved] {
    (isBusy, rest) = (false, 0)
    sync?.lost()
    if audience.isEmpty { sync = nil }
    defer { waiting = [] }
    return own.lost(error) + waiting.map { ($0.latch, error) }
  }

  /// Returns what the watchers learn, and whether the pause after a failure is over.
  mutating func tick() -> (outcome: PresenceSync.Outcome, isRested: Bool) {
    let outcome = sync?.tick() ?? .nothing
    guard rest > 0 else { return (outcome, false) }
    rest -= 1
    return (outcome, rest == 0)
  }
}
