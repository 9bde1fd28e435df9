//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// What programs ask for: entering, leaving, watching, reading.
extension PresenceTable {
  /// Somebody enters. The latch tells when the broker has the member; a failed one has to leave.
  mutating func enter(
    _ member: PresenceMember, on channel: Channel, _ latch: Latch
  ) throws(BroadcastError) -> PresenceEffects {
    if isEnding { throw .ended }
    if entries >= limits.maximumEntries, channels[channel]?.own.has(member.name) != true {
      throw .presenceFull(
        "This program has \(entries) members on its channels, as many as maximumEntries allows. Raise it, or let some leave."
      )
    }
    var effects = PresenceEffects()
    with(channel, &effects) { channel in
      channel.hurry()
      channel.own.enter(member, latch)
    }
    push(channel, &effects)
    return effects
  }

  mutating func leave(_ member: String, _ channel: Channel) -> PresenceEffects {
    var effects = PresenceEffects()
    if !has(channel) { return effects }
    let hasNews = with(channel, &effects) { $0.own.leave(member) }
    if hasNews { push(channel, &effects) }
    return effects
  }

  /// Has what is pending told: by who makes the calls, or here and now where there is no broker.
  private mutating func push(_ name: Channel, _ effects: inout PresenceEffects) {
    guard isLocal else { return queue(name, &effects) }
    let limits = limits
    let (updates, resolved) = with(name, &effects) { channel in
      let steps = channel.own.takeSteps()
      var updates: [PresenceUpdate] = []
      var refused: [String] = []
      for step in steps {
        switch step {
        case .enter(let member), .stay(let member):
          if channel.model.count >= limits.maximumMembers, !channel.model.has(member.name) {
            refused.append(member.name)
          } else if let update = channel.model.apply(.joined(member)) {
            updates.append(update)
          }
        case .leave(let name):
          if let update = channel.model.apply(.left(PresenceMember(name))) { updates.append(update) }
        }
      }
      return (updates, channel.own.changed(steps, refused: refused, .full(name, limits)))
    }
    effects.resolved += resolved
    for update in updates { tell(.update(update), on: name, &effects) }
  }

  // MARK: Watching

  /// Somebody watches. The latch tells when there is something to read first; a failed one has to be taken out.
  mutating func watch(
    _ channel: Channel, _ latch: Latch
  ) throws(BroadcastError) -> (watcher: Int, effects: PresenceEffects) {
    if isEnding { throw .ended }
    if channels[channel]?.audience.isEmpty ?? true {
      if watched >= limits.maximumWatched {
        throw .presenceFull(
          "This program watches \(watched) channels, as many as maximumWatched allows. Raise it, or let some go.")
      }
      if watchedBytes >= limits.maximumWatchedBytes {
        throw .presenceFull(
          "The members of the channels that this program watches take \(watchedBytes) bytes, as many as maximumWatchedBytes "
            + "allows. Raise it, or let some go.")
      }
    }
    var effects = PresenceEffects()
    let watcher = nextWatcher()
    effects.resolved = with(channel, &effects) { [isLocal] channel in
      channel.hurry()
      channel.audience.add(watcher)
      channel.waiting.append((watcher, latch))
      if isLocal || channel.sync?.hasModel == true { return channel.beginWatching() }
      // The dead are taken out before the first look.
      channel.isCheckDue = true
      return []
    }
    if effects.resolved.isEmpty { queue(channel, &effects) }
    return (watcher, effects)
  }

  /// Takes a watcher out.
  mutating func unwatch(_ channel: Channel, _ watcher: Int) -> PresenceEffects {
    var effects = PresenceEffects()
    if !has(channel) { return effects }
    let (sleeper, isLast) = with(channel, &effects) { channel in
      (channel.audience.remove(watcher), channel.audience.isEmpty)
    }
    if let sleeper { effects.woken.append(sleeper) }
    if isLast { queue(channel, &effects) }
    return effects
  }

  /// What comes next for a watcher.
  mutating func read(_ channel: Channel, _ watcher: Int) -> (updates: [PresenceUpdate], range: Range<Int>)? {
    if !has(channel) { return nil }
    var effects = PresenceEffects()
    return with(channel, &effects) { channel in
      switch channel.audience.read(watcher) {
      case .nothing: nil
      case .updates(let updates, let range): (updates, range)
      case .present: ([.present(channel.members())], 0..<1)
      }
    }
  }

  /// False when there is something to read, or nothing will come any more.
  mutating func sleep(_ channel: Channel, _ watcher: Int, _ sleeper: PresenceAudience.Sleeper) -> Bool {
    if isEnding || !has(channel) { return false }
    var effects = PresenceEffects()
    return with(channel, &effects) { $0.audience.sleep(watcher, sleeper) }
  }

  /// Takes a watcher's sleeper out, because its task was cancelled.
  mutating func wake(_ channel: Channel, _ watcher: Int) -> PresenceAudience.Sleeper? {
    if !has(channel) { return nil }
    var effects = PresenceEffects()
    return with(channel, &effects) { $0.audience.takeSleeper(of: watcher) }
  }

  /// All who are present, where that is known here as well as by the broker, which stands there. Nil for no broker.
  mutating func members(of channel: Channel, at broker: MessagePosition?) -> [PresenceMember]? {
    if let broker, channels[channel]?.sync?.hasReached(broker) != true { return nil }
    if !has(channel) { return [] }
    var effects = PresenceEffects()
    return with(channel, &effects) { $0.members() }
  }
}

extension BroadcastError {
  static func full(_ channel: Channel, _ limits: PresenceLimits) -> BroadcastError {
    .presenceFull(
      "The channel \(channel) has \(limits.maximumMembers) members, as many as maximumMembers allows. Try again when some have left."
    )
  }
}
