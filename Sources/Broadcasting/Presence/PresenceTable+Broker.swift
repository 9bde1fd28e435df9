//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// What the broker is asked, and what it says.
extension PresenceTable {
  /// There is a connection: all that is here is told again, and watched again.
  mutating func connected() -> PresenceEffects {
    var effects = PresenceEffects()
    session += 1
    isOnline = !isLocal
    for (name, channel) in channels {
      beginRefilling(name, members: channel.own.count)
      queue(name, &effects)
    }
    return effects
  }

  /// The session is over, and with it all calls. Who waits for one fails.
  mutating func lost(_ error: BroadcastError) -> PresenceEffects {
    var effects = PresenceEffects()
    session += 1
    isOnline = false
    for name in Array(channels.keys) {
      effects.resolved += with(name, &effects) { channel in
        channel.isQueued = false
        return channel.lost(error)
      }
    }
    return effects
  }

  /// The hub ends: nobody enters any more, and all who are here leave.
  mutating func leaveAll() -> PresenceEffects {
    var effects = PresenceEffects()
    isEnding = true
    for name in Array(channels.keys) {
      effects.resolved += with(name, &effects) { $0.own.leaveAll() }
      queue(name, &effects)
    }
    return effects
  }

  /// The hub has ended. What watchers have not read they can still read.
  mutating func end(_ error: BroadcastError) -> PresenceEffects {
    isEnding = true
    var effects = lost(error)
    for name in Array(channels.keys) { effects.woken += with(name, &effects) { $0.audience.wake() } }
    return effects
  }

  /// The next call that a channel wants.
  mutating func nextCall(_ name: Channel, _ effects: inout PresenceEffects) -> PresenceChannel.Call? {
    guard isOnline, has(name) else { return nil }
    return with(name, &effects) { [isEnding] channel in
      channel.isQueued = false
      return isEnding ? channel.lastCall() : channel.nextCall()
    }
  }

  mutating func failed(_ call: PresenceChannel.Call, on name: Channel, _ error: BroadcastError) -> PresenceEffects {
    var effects = PresenceEffects()
    let resolved = with(name, &effects) { $0.failed(call, error) }
    effects.resolved += resolved
    return effects
  }

  mutating func changed(
    _ steps: [PresenceChange.Step], refused: [String], on name: Channel
  ) -> PresenceEffects {
    var effects = PresenceEffects()
    let full = BroadcastError.full(name, limits)
    effects.resolved = with(name, &effects) { channel in
      channel.done()
      return channel.own.changed(steps, refused: refused, full)
    }
    return effects
  }

  mutating func checked(_ answer: PresenceAnswer, round: Int?, on name: Channel) -> PresenceEffects {
    var effects = PresenceEffects()
    let (members, isAgain) = with(name, &effects) { channel in
      channel.done()
      if answer.hasMoreDead { channel.isCheckDue = true }
      channel.sync?.checked(answer.position)
      guard answer.isRight else { return (channel.own.tellAgain(), true) }
      channel.own.confirmed(in: answer.position.epoch)
      if round == nil { channel.own.tryRefusedAgain() }
      return (channel.own.count, false)
    }
    if isAgain {
      beginRefilling(name, members: members)
    } else if round != nil {
      effects.refilled = finishRefilling(name, members: members)
    }
    return effects
  }

  mutating func watching(_ isWatched: Bool, _ name: Channel) -> PresenceEffects {
    var effects = PresenceEffects()
    with(name, &effects) { channel in
      channel.done()
      if isWatched { channel.sync?.watched() } else { channel.sync = nil }
    }
    return effects
  }

  mutating func snapshot(_ snapshot: PresenceSnapshot, of name: Channel) -> PresenceEffects {
    var effects = PresenceEffects()
    let (outcome, resolved, woken) = with(name, &effects) { channel in
      channel.done()
      let outcome = channel.sync?.snapshot(snapshot) ?? .nothing
      // Whoever came while the channel was about to be watched no more has begun with what was known before.
      let woken = outcome == .first ? channel.audience.tellAnew() : []
      return (outcome, channel.beginWatching(), woken)
    }
    effects.resolved = resolved
    effects.woken = woken
    tell(outcome, on: name, &effects)
    return effects
  }

  mutating func heard(_ news: PresenceNews, on name: Channel) -> PresenceEffects {
    var effects = PresenceEffects()
    guard channels[name]?.sync != nil else { return effects }
    let (outcome, asks) = with(name, &effects) { channel in
      (channel.sync?.heard(news) ?? .nothing, channel.sync?.needsSnapshot ?? false)
    }
    tell(outcome, on: name, &effects)
    if asks { queue(name, &effects) }
    return effects
  }
}
