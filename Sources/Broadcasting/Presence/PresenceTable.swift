//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What has to follow on a change in the presence of channels, outside of the lock under which it was made.
struct PresenceEffects: Sendable {
  var woken: [PresenceAudience.Sleeper] = []
  var resolved: [OwnMembers.Resolved] = []
  /// Channels that may have something to ask the broker, each once.
  var ready: [Channel] = []
  /// Whether ticks are needed from now on.
  var startsTicking = false
  /// All who had to be told again are: so many.
  var refilled: Int?
}

/// The presence of all channels of a hub, as a machine that does nothing itself.
struct PresenceTable: Sendable {
  /// A channel is checked by every twelfth tick: each 3 s.
  static let ticksOfCheck = 12
  /// The most bytes that all watchers together may have left unread.
  static let maximumUnreadBytes = 64 * 1_024 * 1_024

  let isLocal: Bool
  let limits: PresenceLimits
  private(set) var channels: [Channel: PresenceChannel] = [:]
  /// Channels by the tick in which they are checked, so that their checks are spread.
  private var checked: [Set<Channel>]
  /// Channels to which each tick means something.
  private var ticked: Set<Channel> = []
  private var tickCount = 0
  private var isTicking = false
  var isOnline = false
  var isEnding = false
  /// So that what a past session still says is known as such.
  var session = 0
  private(set) var entries = 0
  private(set) var watched = 0
  private var unreadBytes = 0
  /// What the members of all watched channels take. Where there is no broker these are the program's own.
  private(set) var watchedBytes = 0
  private var lastWatcher = 0
  /// Channels whose members are told again, and how many those of the others were.
  var refilling: Set<Channel> = []
  var refilledMembers = 0

  init(isLocal: Bool, limits: PresenceLimits) {
    self.isLocal = isLocal
    self.limits = limits
    checked = Array(repeating: [], count: Self.ticksOfCheck)
  }

  func has(_ channel: Channel) -> Bool { channels.index(forKey: channel) != nil }

  mutating func nextWatcher() -> Int {
    lastWatcher += 1
    return lastWatcher
  }

  /// Changes one channel, which is made for that if need be, and goes when nothing is left of it.
  mutating func with<Result>(
    _ channel: Channel, _ effects: inout PresenceEffects, _ body: (inout PresenceChannel) -> Result
  ) -> Result {
    var counts = (entries: 0, watched: 0, bytes: 0, members: 0)
    var isIdle = false
    var isWaiting = false
    let isNew = !has(channel)
    let result = Self.with(&channels[channel, default: PresenceChannel()]) { channel in
      counts = (-channel.own.count, channel.audience.isEmpty ? 0 : -1, -channel.audience.heldBytes, -channel.bytes)
      let result = body(&channel)
      counts.entries += channel.own.count
      counts.watched += channel.audience.isEmpty ? 0 : 1
      counts.bytes += channel.audience.heldBytes
      counts.members += channel.bytes
      (isIdle, isWaiting) = (channel.isIdle, channel.isWaiting)
      return result
    }
    entries += counts.entries
    watched += counts.watched
    unreadBytes += counts.bytes
    watchedBytes += counts.members
    if isIdle {
      remove(channel)
    } else if !isLocal {
      if isNew { add(channel, &effects) }
      if isWaiting { ticked.insert(channel) } else if !ticked.isEmpty { ticked.remove(channel) }
    }
    return result
  }

  private static func with<Value, Result>(_ value: inout Value, _ body: (inout Value) -> Result) -> Result {
    body(&value)
  }

  private mutating func add(_ channel: Channel, _ effects: inout PresenceEffects) {
    checked[bucket(of: channel)].insert(channel)
    guard !isTicking else { return }
    isTicking = true
    effects.startsTicking = true
  }

  private mutating func remove(_ channel: Channel) {
    channels[channel] = nil
    checked[bucket(of: channel)].remove(channel)
    ticked.remove(channel)
    finishRefilling(channel, members: 0)
  }

  private func bucket(of channel: Channel) -> Int { Int(UInt(bitPattern: channel.hashValue) % UInt(checked.count)) }

  /// Has a channel looked at by who makes the calls.
  mutating func queue(_ name: Channel, _ effects: inout PresenceEffects) {
    guard isOnline, let index = channels.index(forKey: name), !channels.values[index].isQueued else { return }
    channels.values[index].isQueued = true
    effects.ready.append(name)
  }

  /// Tells watchers of a channel what they have to learn.
  mutating func tell(_ outcome: PresenceSync.Outcome, on channel: Channel, _ effects: inout PresenceEffects) {
    if outcome == .nothing { return }
    effects.woken += with(channel, &effects) { channel in
      switch outcome {
      case .nothing, .first: []
      case .update(let update): channel.audience.tell(update)
      case .anew: channel.audience.tellAnew()
      }
    }
    if unreadBytes > Self.maximumUnreadBytes {
      // Nobody is told less: in place of many updates they get what these come to.
      effects.woken += with(channel, &effects) { $0.audience.tellAnew() }
    }
  }

  // MARK: Ticks

  /// Four times a second while it is asked for. Returns false when nobody needs another.
  mutating func tick(_ effects: inout PresenceEffects) -> Bool {
    tickCount += 1
    for channel in ticked {
      let (outcome, isRested) = with(channel, &effects) { $0.tick() }
      tell(outcome, on: channel, &effects)
      if isRested { queue(channel, &effects) }
    }
    for channel in isOnline ? checked[tickCount % checked.count] : [] {
      with(channel, &effects) { $0.isCheckDue = true }
      queue(channel, &effects)
    }
    isTicking = !channels.isEmpty
    return isTicking
  }

  // MARK: Telling again

  mutating func beginRefilling(_ channel: Channel, members: Int) {
    if members > 0 { refilling.insert(channel) }
  }

  /// Returns the count of all when it was the last of them.
  @discardableResult
  mutating func finishRefilling(_ channel: Channel, members: Int) -> Int? {
    guard !refilling.isEmpty, refilling.remove(channel) != nil else { return nil }
    refilledMembers += members
    guard refilling.isEmpty else { return nil }
    defer { refilledMembers = 0 }
    return refilledMembers
  }
}
